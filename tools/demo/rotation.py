"""A rotation under load, with an emergency in its second wait."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from keyturn.aws.executions import RUNNING
from keyturn.aws.operator.deployment import Deployment
from keyturn.keyset.model import EndedKey
from tools.demo.client import BackgroundClient, Revocation, Tally
from tools.demo.story import (
    DoesNotHold,
    active_key,
    hold,
    jwks_kids,
    kids,
    live_states,
    revoke,
    rotation_of,
)

if TYPE_CHECKING:
    from subprocess import Popen

_SETTLE = 3  # seconds of load before and after

Progress = Callable[[str, Tally], None]


class Rotation:
    """Started as an operator does, followed from first state to last; revokes on the way."""

    def __init__(self, deployment: Deployment, *, callers: int = 1) -> None:
        self._deployment = deployment
        self._phase = "before"
        self._emergency: Popen[str] | None = None
        self.superseded = ""
        self.seconds: dict[str, float] = {}  # by state
        self.command: Mapping[str, Any] = {}  # what `keyturn revoke` printed
        self.client = BackgroundClient(deployment, lambda: self._phase, callers=callers)

    def run(self, progress: Progress = lambda _phase, _tally: None) -> str:
        """Rotate the key while the client goes on; raises DoesNotHold for one refused token.

        The emergency comes when the client holds tokens of both keys: those of the superseded key
        expire soon, however slow the machine is.
        """
        executions = self._deployment.executions
        self.superseded = active_key(self._deployment).kid
        with self.client.running() as tally:
            self._watch(progress, _SETTLE)
            execution = self._deployment.start(rotation_of(self.superseded, "demo"))
            while executions.status(execution) == RUNNING:
                visits = executions.visits(execution)
                self._phase = visits[-1].state if visits else "before"
                self._watch(progress, 0.2)
                if self._phase == "WaitForGrace" and not self._emergency:
                    self._revoke_active_once_it_signs(tally)
            self._phase = "after"
            self._watch(progress, _SETTLE)
        visits = executions.visits(execution)
        for visit in visits:
            if visit.exited:
                spent = (visit.exited - visit.entered).total_seconds()
                self.seconds[visit.state] = round(self.seconds.get(visit.state, 0) + spent, 1)
        status = executions.status(execution)
        hold(status == "SUCCEEDED", f"the execution ended {status} in {visits[-1].state}")
        hold(visits[-1].state == "Rotated", f"the execution ended in {visits[-1].state}")
        return self._verdict(tally)

    def _revoke_active_once_it_signs(self, tally: Tally) -> None:
        """`keyturn revoke --active`, as an operator types it; it goes on beside the rotation."""
        kid = active_key(self._deployment).kid
        if kid in tally.kids:
            tally.revocation = Revocation(kid, time.time())
            self._emergency = revoke(self._deployment, "--active")

    def _verdict(self, tally: Tally) -> str:
        hold(not tally.refused, f"{len(tally.refused)} refused, first: {tally.refused[:1]}")
        hold(not tally.unanswered, f"{len(tally.unanswered)} calls got no answer")
        hold(len(tally.kids) == 3, f"tokens of {len(tally.kids)} keys were issued, not of three")
        hold(tally.accepted["WaitForGrace"] > 0, "nothing was tried while both keys verified")
        return (
            f"{tally.issued.total()} tokens issued, {tally.accepted.total()} calls accepted, "
            "0 valid tokens refused"
        )

    def revoked(self) -> str:
        """The emergency in the second wait: the key was refused in time, and no other token was."""
        assert self._emergency is not None
        printed, _ = self._emergency.communicate(timeout=60)
        self.command = json.loads(printed) if printed else {}
        problems = self.command.get("problems", "it printed nothing")
        hold(self._emergency.returncode == 0, f"keyturn revoke: {problems}")
        revocation, tally = self.client.tally.revocation, self.client.tally
        assert revocation is not None
        hold(self.command["kids"] == [revocation.kid], f"revoked {self.command['kids']}")
        hold(
            revocation.first_refusal is not None,
            "no token of the revoked key was tried and refused",
        )
        late = self._accepted_after_bound(revocation)
        hold(late == 0, f"{late} accepted after the bound")
        hold(revocation.others_accepted[self.superseded] > 0, "no token of the grace key was tried")
        hold(tally.seconds_without_issuer == 0, f"{tally.seconds_without_issuer} s without issuer")
        return (
            f"refused {self.command['proof']['seconds']:.1f} s after the command was typed; "
            f"0 accepted more than {self._bound:.0f} s (the bound) after its write; "
            "issuer always available; "
            f"{revocation.others_accepted.total()} calls with other keys accepted meanwhile"
        )

    def cleans_up(self) -> str:
        """The superseded and the revoked key are gone everywhere; an active key and a standby remain."""
        keyset, revocation = self._deployment.keyset, self.client.tally.revocation
        assert revocation is not None
        states = kids(keyset)
        hold(states.get(self.superseded) == "retired", f"the superseded key is {states}")
        hold(states.get(revocation.kid) == "revoked", f"the revoked key is {states}")
        shown = jwks_kids(self._deployment)
        hold(
            shown.isdisjoint({self.superseded, revocation.kid}), "the JWKS still shows an ended key"
        )
        retired = self._deployment.kms.describe(keyset.get(self.superseded).kms_key_arn)
        hold(retired.pending_deletion, "the retired KMS key is not pending deletion")
        revoked = self._deployment.kms.describe(keyset.get(revocation.kid).kms_key_arn)
        hold(not revoked.enabled, "the revoked KMS key is enabled")
        live = live_states(keyset)
        hold(live == ["active", "standby"], f"live keys are {live}")
        return (
            "superseded kid retired, KMS key pending deletion; revoked kid disabled in KMS; "
            "neither in the JWKS; one active, one standby"
        )

    def figures(self) -> dict[str, Any]:
        """What `build/demo.json` says of it; phases are the states, and what lay around them."""
        tally, revocation = self.client.tally, self.client.tally.revocation
        refused = Counter(refusal.phase for refusal in tally.refused)
        figures: dict[str, Any] = {
            "phases": {
                phase: {
                    "issued": tally.issued[phase],
                    "accepted": tally.accepted[phase],
                    "refused": refused[phase],
                }
                for phase in ("before", *self.seconds, "after")
            },
            "refusals": [f"{refusal.phase}: {refusal.what}" for refusal in tally.refused],
            "seconds_per_state": self.seconds,
            "superseded": self.superseded,
        }
        if revocation:
            first = revocation.first_refusal and round(
                revocation.first_refusal - revocation.commanded, 2
            )
            figures["emergency"] = {
                "kid": revocation.kid,
                "bound_seconds": self._bound,
                "seconds_from_command_to_first_refusal": first,
                "seconds_without_issuer": round(tally.seconds_without_issuer, 2),
                "tokens_of_other_keys_refused": len(tally.refused),
                "calls_with_other_keys_accepted": dict(revocation.others_accepted),
                "revoked_tokens_refused": revocation.refused,
                "revoked_tokens_accepted_after_bound": self._accepted_after_bound(revocation),
                "command": self.command,
            }
        return figures

    @property
    def _bound(self) -> float:
        return self._deployment.revocation_bound.total_seconds()

    def _accepted_after_bound(self, revocation: Revocation) -> int:
        """Acceptances of requests sent later than C + G + ε after the revocation was written."""
        ended = self._deployment.keyset.find(revocation.kid)
        if not isinstance(ended, EndedKey):
            raise DoesNotHold(f"key {revocation.kid} is not revoked")
        limit = ended.ended.timestamp() + self._bound
        return sum(sent > limit for sent in revocation.accepted_when_sent_at)

    def _watch(self, progress: Progress, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            progress(self._phase, self.client.tally)
            if time.monotonic() >= until:
                return
            time.sleep(0.2)
