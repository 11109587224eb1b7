"""`keyturn issue`: print a token from the deployed issuer, and nothing else, to stdout."""

import json
from typing import Annotated, Any

import typer

from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.operator.http import Answer
from keyturn.cli.terminal import CommandFailed, Terminal, UsageError

ClientName = Annotated[str, typer.Option("--client", help="The client to ask as.")]
Subject = Annotated[
    str | None, typer.Option(help="The subject (sub); not needed if the client is its own subject.")
]
Scope = Annotated[str, typer.Option(help="Scopes, separated by spaces.")]
Audience = Annotated[
    str | None, typer.Option(help="One of the client's audiences; needed if it has several.")
]
Lifetime = Annotated[int | None, typer.Option(help="Seconds; the client's maximum by default.")]
Claims = Annotated[
    list[str] | None,
    typer.Option("--claim", help="NAME=VALUE, repeatable; VALUE is JSON, otherwise a string."),
]


def issue(
    terminal: Terminal,
    deployment: Deployment,
    *,
    client: ClientName = "operator",
    subject: Subject = None,
    scope: Scope = "",
    audience: Audience = None,
    lifetime: Lifetime = None,
    claim: Claims = None,
) -> None:
    """Issue a token with your own credentials; it is printed, not stored."""
    request = request_fields(subject, scope, audience, lifetime, claim)
    answer = deployment.post_token(request, client=client)
    if answer.status != 200:
        raise _refused(answer, client)
    terminal.plain(answer.body["access_token"])
    terminal.result(answer.body)


def request_fields(
    subject: str | None,
    scope: str,
    audience: str | None,
    lifetime: int | None,
    claims: list[str] | None,
) -> dict[str, Any]:
    """The token request (docs/tokens.md) for these options; raises UsageError."""
    return {
        "subject": subject,
        "scope": scope,
        "audience": audience,
        "lifetime": lifetime,
        "claims": dict(map(_parse_claim, claims or [])),
    }


def _parse_claim(argument: str) -> tuple[str, Any]:
    """Name and value of NAME=VALUE; raises UsageError."""
    name, equals, value = argument.partition("=")
    if not (name and equals):
        raise UsageError("--claim is not of the form NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _refused(answer: Answer, client: str) -> UsageError | CommandFailed:
    body = answer.body if isinstance(answer.body, dict) else {}
    detail = body.get("error_description", f"POST /token/{client} answers {answer.status}")
    if answer.status == 400:
        return UsageError(str(detail), "docs/tokens.md lists what a request may contain")
    if body.get("error") == "unauthorized_client":
        return CommandFailed(
            f"there is no client {client} ({detail})",
            f"`keyturn client add {client}` or a template declares it (docs/tokens.md)",
        )
    if answer.status == 403:
        return CommandFailed(
            str(detail), f"these credentials need execute-api:Invoke on POST/token/{client}"
        )
    return CommandFailed(str(detail), "`keyturn doctor` checks the whole stack")
