"""`keyturn verify`: why the authorizer accepts or refuses a token."""

import json
import sys
from typing import Annotated

import typer
from rich.text import Text

from keyturn.aws.faults import AwsFault
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.terminal import ProblemFound, Terminal, UsageError
from keyturn.cli.verify.explanation import Explanation, explain

_STDIN = "-"
_SIGNS = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "dim")}
Token = Annotated[str, typer.Argument(help="The token, or - to read it from stdin.")]
Kms = Annotated[bool, typer.Option("--kms", help="Also ask KMS to verify the signature.")]


def verify(terminal: Terminal, deployment: Deployment, token: Token, *, kms: Kms = False) -> None:
    """Explain what the authorizer does with a token, even a broken one."""
    text = (sys.stdin.read() if token == _STDIN else token).strip()
    text = text.removeprefix("Bearer ").strip()
    if not text:
        raise UsageError("there is no token on stdin" if token == _STDIN else "the token is empty")
    with terminal.progress("reading keyset and key"):
        explanation = explain(deployment, text)
        opinion = _second_opinion(deployment, explanation) if kms else None
    _say(terminal, explanation)
    if opinion:
        terminal.say(f"  KMS itself: {opinion}")
    terminal.result({**explanation.members(), "kms": opinion})
    if not explanation.is_accepted:
        raise ProblemFound


def _say(terminal: Terminal, explanation: Explanation) -> None:
    for name, part in (("header", explanation.token.header), ("claims", explanation.token.claims)):
        if part is None:
            terminal.say(Text.assemble((name, "dim"), "  cannot be read"))
        else:
            terminal.say(name, "dim")
            terminal.say(json.dumps(part, indent=2, ensure_ascii=True))
    terminal.say()
    for check in explanation.checks:
        sign = _SIGNS[check.passed]
        terminal.say(Text.assemble("  ", sign, f" {check.name:10} {check.detail}"))
    terminal.say()
    generation = f"(generation {explanation.generation})"
    if not explanation.is_accepted:
        answer = f": {explanation.verdict}. The authorizer answers 401 {generation}."
        terminal.say(Text.assemble(("Refused", "bold red"), answer))
        return
    terminal.say(Text.assemble(("Accepted", "bold green"), f" by the authorizer {generation}."))
    for route, is_open in explanation.routes.items():
        terminal.say(f"  {route}: {'open' if is_open else '403, its scope is missing'}")


def _second_opinion(deployment: Deployment, explanation: Explanation) -> str:
    """The result of `kms:Verify`, as a sentence; KMS checks no claims, states or revocation."""
    token, key = explanation.token, explanation.key
    if key is None or not token.signature:
        return "cannot be asked: the token names no key of this stack, or has no signature"
    try:
        good = deployment.kms.verify(key.kms_key_arn, token.signed, token.signature)
    except AwsFault as fault:
        return f"does not use this key ({fault.code})"
    return f"the signature is {'' if good else 'not '}of this key"
