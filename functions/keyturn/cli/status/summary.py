"""What status says, whatever it is said in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from keyturn.cli.doctor.checkup import drift
from keyturn.cli.doctor.findings import Finding
from keyturn.cli.observation import Observed, Run
from keyturn.cli.status.coming import Coming, coming
from keyturn.cli.status.lives import Life, Window, lives
from keyturn.cli.wording import iso
from keyturn.keyset import timing
from keyturn.keyset.model import EndedKey, Key


@dataclass(frozen=True)
class Summary:
    """A stack at one instant, ready to be shown."""

    stack: str
    region: str
    seen: Observed

    @property
    def bound(self) -> timedelta:
        """From a revocation until no authorizer accepts the kid: C + G + ε."""
        return timing.revocation_bound(self.seen.settings.times)

    @property
    def outage_bound(self) -> timedelta:
        """The same while SSM cannot be read: StaleLimit + G + ε."""
        return timing.outage_bound(self.seen.settings.times)

    @cached_property
    def drift(self) -> list[Finding]:
        """Where keyset, JWKS and KMS disagree."""
        return drift(self.seen)

    @cached_property
    def lives(self) -> list[Life]:
        """The keys in time."""
        return lives(self.seen.generations, self.seen.settings.times, self.seen.at)

    @cached_property
    def coming(self) -> list[Coming]:
        """What is due."""
        return coming(self.seen)

    @property
    def window(self) -> Window:
        """What the timeline shows."""
        return Window.around(self.lives, self.seen.settings.times, self.seen.at)

    def kms(self, key: Key | EndedKey) -> str:
        """How the key stands in KMS."""
        if self.seen.kms is None:
            return "unknown"
        kept = self.seen.kms.get(key.kms_key_arn)
        if kept is None:
            return "deleted"
        if kept.pending_deletion:
            return "pending deletion"
        return "enabled" if kept.enabled else "disabled"

    def members(self) -> dict[str, Any]:
        """As `--json` says it (docs/operating.md)."""
        return {
            "stack": self.stack,
            "region": self.region,
            "at": iso(self.seen.at),
            "generation": self.seen.generation.number,
            "keys": [self._key(life.key) for life in self.lives],
            "timeline": [_timeline(life) for life in self.lives],
            "next": [self._coming(one) for one in self.coming],
            "revocation_bound_seconds": int(self.bound.total_seconds()),
            "revocation_bound_seconds_without_ssm": int(self.outage_bound.total_seconds()),
            "drift": [asdict(finding) for finding in self.drift],
            "running": None
            if self.seen.running is None
            else [_run(run) for run in self.seen.running],
            "unread": dict(self.seen.unread),
        }

    def _key(self, key: Key | EndedKey) -> Mapping[str, Any]:
        names = ("created", "published", "activated", "superseded", "verify_until", "ended")
        return {
            "kid": key.kid,
            "state": key.state.value,
            "kms_key_arn": key.kms_key_arn,
            "kms": self.kms(key),
            "lifetime": getattr(key, "lifetime", None),
            **{name: iso(getattr(key, name, None)) for name in names},
        }

    def _coming(self, one: Coming) -> Mapping[str, Any]:
        left = int((one.at - self.seen.at).total_seconds())
        return {"at": iso(one.at), "in_seconds": left, "event": one.event, "kid": one.kid}


def _timeline(life: Life) -> Mapping[str, Any]:
    spans = [
        {
            "phase": span.phase.value,
            "start": iso(span.start),
            "end": iso(span.end),
            "planned": span.planned,
        }
        for span in life.spans
    ]
    return {"kid": life.key.kid, "spans": spans}


def _run(run: Run) -> Mapping[str, Any]:
    return {
        "execution": run.arn,
        "mode": run.mode,
        "started_by": run.started_by,
        "started": iso(run.started),
        "state": run.state,
        "since": iso(run.since),
    }
