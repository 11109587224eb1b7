"""The content of status, independent of its format."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from keyturn.cli.doctor.checkup import drift
from keyturn.cli.doctor.findings import Finding
from keyturn.cli.formatting import count, cutoff_members, iso
from keyturn.cli.snapshot import Run, Snapshot
from keyturn.cli.status.phases import KeyPhases, Window, list_phases
from keyturn.cli.status.upcoming import UpcomingEvent, upcoming
from keyturn.keyset import timing
from keyturn.keyset.cutoffs import Claim, CutOff, digest_of
from keyturn.keyset.model import EndedKey, Key

_ENDED_SHOWN = 5  # --json has all of them


@dataclass(frozen=True)
class Summary:
    """A stack at one time, ready to be shown."""

    stack: str
    region: str
    snapshot: Snapshot

    @property
    def bound(self) -> timedelta:
        """From a revocation until no authorizer accepts the kid: C + G + ε."""
        return timing.revocation_bound(self.snapshot.settings.times)

    @property
    def outage_bound(self) -> timedelta:
        """The bound while SSM cannot be read: StaleLimit + G + ε."""
        return timing.outage_bound(self.snapshot.settings.times)

    @cached_property
    def drift(self) -> list[Finding]:
        """Disagreements between keyset, JWKS and KMS."""
        return drift(self.snapshot)

    @cached_property
    def phases(self) -> list[KeyPhases]:
        """The phases of the keys."""
        return list_phases(
            self.snapshot.generations, self.snapshot.settings.times, self.snapshot.at
        )

    @cached_property
    def shown_keys(self) -> list[KeyPhases]:
        """The keys to show: all live keys and the last few ended ones."""
        ends = sorted(
            (key_phases.ended, key_phases.key.kid) for key_phases in self.phases if key_phases.ended
        )
        hidden = {kid for _, kid in ends[:-_ENDED_SHOWN]}
        return [key_phases for key_phases in self.phases if key_phases.key.kid not in hidden]

    @property
    def documents(self) -> str:
        """How many clients and APIs have a document; empty if that cannot be read."""
        clients, apis = self.snapshot.clients, self.snapshot.apis
        if clients is None or apis is None:
            return ""
        return f"{count(len(clients), 'client')} and {count(len(apis), 'API')} have documents."

    @property
    def more_ended(self) -> str:
        """How many ended keys are not shown, and where to find them; empty if none."""
        hidden = len(self.phases) - len(self.shown_keys)
        return f"{count(hidden, 'more ended key')}: keyturn history" if hidden else ""

    @cached_property
    def upcoming(self) -> list[UpcomingEvent]:
        """The upcoming events."""
        return upcoming(self.snapshot)

    @property
    def window(self) -> Window:
        """The period that the timeline shows."""
        return Window.around(self.shown_keys, self.snapshot.settings.times, self.snapshot.at)

    @cached_property
    def cutoffs(self) -> list[tuple[str, CutOff]]:
        """Whose tokens are refused: a client by its name, if it has a document, else by digests."""
        clients = {digest_of(name): name for name in self.snapshot.clients or ()}
        return [(_cutoff_name(cutoff, clients), cutoff) for cutoff in self.snapshot.keyset.cutoffs]

    def kms(self, key: Key | EndedKey) -> str:
        """The key's state in KMS."""
        if self.snapshot.kms is None:
            return "unknown"
        kms_key = self.snapshot.kms.get(key.kms_key_arn)
        if kms_key is None:
            return "deleted"
        if kms_key.pending_deletion:
            return "pending deletion"
        return "enabled" if kms_key.enabled else "disabled"

    def members(self) -> dict[str, Any]:
        """The members of `--json` (docs/operating.md)."""
        return {
            "stack": self.stack,
            "region": self.region,
            "at": iso(self.snapshot.at),
            "generation": self.snapshot.generation.number,
            "keys": [self._key(key_phases.key) for key_phases in self.phases],
            "timeline": [_timeline(key_phases) for key_phases in self.phases],
            "next": [self._upcoming(event) for event in self.upcoming],
            "clients": _number(self.snapshot.clients),
            "apis": _number(self.snapshot.apis),
            "revocation_bound_seconds": int(self.bound.total_seconds()),
            "revocation_bound_seconds_without_ssm": int(self.outage_bound.total_seconds()),
            "cutoffs": [_cutoff(name, cutoff) for name, cutoff in self.cutoffs],
            "drift": [asdict(finding) for finding in self.drift],
            "running": None
            if self.snapshot.running is None
            else [_run(run) for run in self.snapshot.running],
            "read_errors": dict(self.snapshot.read_errors),
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

    def _upcoming(self, event: UpcomingEvent) -> Mapping[str, Any]:
        in_seconds = int((event.at - self.snapshot.at).total_seconds())
        return {
            "at": iso(event.at),
            "in_seconds": in_seconds,
            "event": event.event,
            "kid": event.kid,
        }


def _number(documents: Mapping[str, Any] | None) -> int | None:
    return None if documents is None else len(documents)


def _timeline(key_phases: KeyPhases) -> Mapping[str, Any]:
    spans = [
        {
            "phase": span.phase.value,
            "start": iso(span.start),
            "end": iso(span.end),
            "planned": span.planned,
        }
        for span in key_phases.spans
    ]
    return {"kid": key_phases.key.kid, "spans": spans}


def _cutoff_name(cutoff: CutOff, clients: Mapping[str, str]) -> str:
    if cutoff.claim is Claim.CLIENT and cutoff.digest in clients:
        return f"client {clients[cutoff.digest]}"
    return f"{cutoff.claim} {cutoff.digest}"


def _cutoff(name: str, cutoff: CutOff) -> Mapping[str, Any]:
    return {"name": name, "blocked": cutoff.is_block, **cutoff_members(cutoff)}


def _run(run: Run) -> Mapping[str, Any]:
    return {
        "execution": run.arn,
        "mode": run.mode,
        "started_by": run.started_by,
        "started": iso(run.started),
        "state": run.state,
        "since": iso(run.since),
    }
