"""`keyturn repair`: restore a keyset whose newest generation is gone."""

from collections.abc import Mapping
from typing import Any

from keyturn.aws.faults import AwsFault, Conflict
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.formatting import instant
from keyturn.cli.options import DryRun, Yes
from keyturn.cli.terminal import CommandFailed, Terminal
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Generation, Origin
from keyturn.rotation import repair_keyset
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.repair_keyset import Condition, Diagnosis, JwksNotOurs, NothingToRestore

_DEPLOY_NEWER = "deploy that release; nothing was touched"
_AGAIN = "run `keyturn repair` again"
_PUBLISH = "`keyturn doctor --fix` publishes it; reconcile does within ten minutes"
_NOT_OURS = "delete .well-known/jwks.json from the bucket, then run `keyturn repair` again"
_ANEW = "delete the stack and deploy it again: nothing is known of its keys"


def repair(
    terminal: Terminal, deployment: Deployment, *, dry_run: DryRun = False, yes: Yes = False
) -> None:
    """Restore a keyset whose newest generation was deleted or overwritten."""
    diagnosis = _diagnose(deployment)
    _say_diagnosis(terminal, diagnosis)
    if diagnosis.condition is Condition.NEWER_RELEASE:
        raise CommandFailed(diagnosis.problem, _DEPLOY_NEWER)
    if diagnosis.condition is Condition.SOUND or dry_run:
        terminal.result(_members(diagnosis))
        return
    if not yes:
        terminal.confirm("This decides which keys count.")
    _repair(terminal, deployment, diagnosis)


def _diagnose(deployment: Deployment) -> Diagnosis:
    try:
        return repair_keyset.diagnose(deployment)
    except JwksNotOurs as error:
        raise CommandFailed(str(error), _NOT_OURS) from None
    except NothingToRestore as error:
        raise CommandFailed(str(error), _ANEW) from None


def _say_diagnosis(terminal: Terminal, diagnosis: Diagnosis) -> None:
    if diagnosis.condition is Condition.SOUND:
        terminal.say("No generation is missing: nothing to repair.")
    if missing := ", ".join(str(generation.number) for generation in diagnosis.missing):
        terminal.say(f"Restores from the history what was deleted: {missing}")
    source = diagnosis.source
    if source and diagnosis.number:
        reason = f"{source.reason}, by {source.started_by}"
        terminal.say(f"Restores generation {source.number} of {instant(source.at)} ({reason})")
        terminal.say(f"as generation {diagnosis.number}:")
        for key in source.keyset.keys:
            end = "  ended since: revoked" if key.kid in diagnosis.revocations else ""
            terminal.say(f"  {key.kid}  {key.state}{end}")


def _repair(terminal: Terminal, deployment: Deployment, diagnosis: Diagnosis) -> None:
    origin = Origin(deployment.clock.new_id(), _caller(deployment), diagnosis.condition.value)
    try:
        restored = repair_keyset.repair(deployment, diagnosis, origin)
    except Conflict:
        raise CommandFailed("the keyset changed meanwhile", _AGAIN) from None
    if restored:
        terminal.say(f"Generation {restored.number} counts.")
    try:
        generation = project(deployment, origin)
    except (AwsFault, KeysetFault) as error:
        raise CommandFailed(
            f"the keyset counts again, but the JWKS lags: {error}", _PUBLISH
        ) from None
    terminal.say(f"Repaired: the JWKS shows generation {generation.number}.")
    terminal.result(_members(diagnosis, generation))


def _caller(deployment: Deployment) -> str:
    try:
        return deployment.caller()
    except AwsFault:
        return "operator"


def _members(diagnosis: Diagnosis, generation: Generation | None = None) -> Mapping[str, Any]:
    return {
        "condition": diagnosis.condition.value,
        "missing": [generation.number for generation in diagnosis.missing],
        "source": diagnosis.source.number if diagnosis.source else None,
        "restored_as": diagnosis.number,
        "revoked": list(diagnosis.revocations),
        "generation": generation.number if generation else None,
    }
