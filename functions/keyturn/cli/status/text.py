"""Status as text."""

from datetime import datetime

from rich.table import Table
from rich.text import Text

from keyturn.cli.doctor.report import say_findings
from keyturn.cli.formatting import count, duration, instant, relative, table
from keyturn.cli.status.summary import Summary
from keyturn.cli.status.timeline import timeline
from keyturn.cli.terminal import Terminal
from keyturn.keyset.model import EndedKey, Key
from keyturn.keyset.states import State

_WIDE = 110  # columns from which the table is complete
_STYLES = {
    State.STANDBY: "cyan",
    State.ACTIVE: "bold green",
    State.GRACE: "yellow",
    State.RETIRED: "dim",
    State.REVOKED: "red",
}


def say_status(terminal: Terminal, summary: Summary) -> None:
    """Print headline, keys, timeline, upcoming events and problems."""
    width = terminal.console.width
    terminal.say(_headline(summary))
    terminal.say()
    terminal.say(_keys(summary, wide=width >= _WIDE))
    if summary.more_ended:
        terminal.say(summary.more_ended, "dim")
    terminal.say()
    now = summary.window.place(summary.snapshot.at)
    for line in timeline(summary.shown_keys, summary.window, now, width):
        terminal.say(line)
    terminal.say()
    terminal.say(_upcoming(summary))
    for bound in _bounds(summary):
        terminal.say(bound)
    if summary.documents:
        terminal.say(summary.documents)
    if summary.cutoffs:
        terminal.say()
        terminal.say(_cutoffs(summary))
    _running(terminal, summary)
    if summary.drift:
        terminal.say()
        say_findings(terminal, summary.drift)


def _headline(summary: Summary) -> Text:
    drift = summary.drift
    verdict = (count(len(drift), "problem"), "bold red") if drift else ("all is well", "bold green")
    return Text.assemble(
        (summary.stack, "bold"),
        f" in {summary.region} · generation {summary.snapshot.generation.number} · ",
        f"{instant(summary.snapshot.at)} · ",
        verdict,
    )


def _keys(summary: Summary, *, wide: bool) -> Table:
    keys = table("KEY", "STATE", "SINCE", *(("CREATED", "KMS") if wide else ()), no_wrap=True)
    for key_phases in summary.shown_keys:
        key = key_phases.key
        since = _state_since(key)
        since_text = (
            instant(since) if wide else relative(since, summary.snapshot.at) if since else "–"
        )
        rest = (
            instant(key_phases.last_live.created if key_phases.last_live else None),
            summary.kms(key),
        )
        state = Text(key.state, style=_STYLES[key.state])
        keys.add_row(key.kid, state, since_text, *(rest if wide else ()))
    return keys


def _state_since(key: Key | EndedKey) -> datetime | None:
    if isinstance(key, EndedKey):
        return key.ended
    return {
        State.STANDBY: key.published or key.created,
        State.ACTIVE: key.activated,
        State.GRACE: key.superseded,
    }[key.state]


def _upcoming(summary: Summary) -> Table:
    upcoming = table("NEXT", "AT", "KEY", no_wrap=True)
    upcoming.add_column("")
    for event in summary.upcoming:
        kid = event.kid[:8] if event.kid else ""
        when = relative(event.at, summary.snapshot.at)
        upcoming.add_row(when, instant(event.at), kid, event.words)
    return upcoming


def _cutoffs(summary: Summary) -> Table:
    cutoffs = table("CUT OFF", "ISSUED BEFORE", "UNTIL", no_wrap=True)
    for name, cutoff in summary.cutoffs:
        until = instant(cutoff.until) if cutoff.until else "released"
        cutoffs.add_row(name, "any time" if cutoff.is_block else instant(cutoff.before), until)
    return cutoffs


def _bounds(summary: Summary) -> tuple[str, str]:
    return (
        f"\nA revoked key is refused within {duration(summary.bound)} (C + G + ε),",
        f"within {duration(summary.outage_bound)} while SSM cannot be read (StaleLimit + G + ε).",
    )


def _running(terminal: Terminal, summary: Summary) -> None:
    for run in summary.snapshot.running or ():
        since = relative(run.since or run.started, summary.snapshot.at)
        terminal.say(
            Text.assemble(
                "\nRunning: ",
                (run.state, "bold"),
                f", entered {since}; {run.mode}, started by {run.started_by}\n",
                (run.arn, "dim"),
            )
        )
