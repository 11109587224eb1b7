"""Status as one HTML page: self-contained, readable on a phone, light and dark (page.html)."""

from html import escape
from importlib.resources import files
from string import Template

from keyturn.cli.formatting import count, duration, instant, relative
from keyturn.cli.status import svg
from keyturn.cli.status.summary import Summary
from keyturn.keyset.model import EndedKey, Key

_LEGEND = ("created", "standby", "active", "grace", "retired", "revoked")


def page(summary: Summary) -> str:
    """The whole document."""
    drift, snapshot = summary.drift, summary.snapshot
    where = f"{summary.region} · generation {snapshot.generation.number} · {instant(snapshot.at)}"
    template = Template(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    return template.substitute(
        stack=escape(summary.stack),
        mood="off" if drift else "well",
        verdict=count(len(drift), "problem") if drift else "all is well",
        where=escape(where),
        cards=_cards(summary),
        findings=_findings(summary),
        axis=svg.axis(summary.window, snapshot.at),
        lanes="\n".join(
            svg.lane(key_phases, summary.window, snapshot.at) for key_phases in summary.shown_keys
        ),
        legend="".join(f'<span class="state is-{name}">{name}</span>' for name in _LEGEND)
        + "<span>pale: planned</span>",
        upcoming=_upcoming(summary),
        running=_running(summary) + _cutoffs(summary),
        keys="".join(
            _key(summary, key_phases.key, key_phases.last_live) for key_phases in summary.shown_keys
        )
        + _more_ended(summary),
        footer=f"Made by <code>keyturn status --html</code> at {instant(snapshot.at)}. "
        "It does not refresh itself.",
    )


def _cards(summary: Summary) -> str:
    active, snapshot = summary.snapshot.keyset.active, summary.snapshot
    takeover_at = next((event for event in summary.upcoming if event.event == "rotation_due"), None)
    since = f"since {instant(active.activated)}" if active else "the issuer answers 503"
    return "".join(
        (
            _card("Signs now", _kid(active.kid) if active else "no key", since),
            _card(
                "Next rotation",
                relative(takeover_at.at, snapshot.at) if takeover_at else "due" if active else "–",
                instant(takeover_at.at) if takeover_at else "nothing is planned",
            ),
            _card(
                "A revoked key is refused within",
                duration(summary.bound),
                f"{duration(summary.outage_bound)} while SSM cannot be read",
            ),
        )
    )


def _card(title: str, big: str, small: str) -> str:
    return (
        f'<div class="card"><h2>{title}</h2><p class="big">{escape(big)}</p>'
        f"<p>{escape(small)}</p></div>"
    )


def _kid(kid: str) -> str:
    return f"{kid[:8]}…"


def _findings(summary: Summary) -> str:
    findings_html = "".join(
        f'<div class="finding"><b>{finding.severity}</b> <code>{finding.code}</code>'
        f"<p>{escape(finding.problem)}</p><p class='remedy'>→ {escape(finding.remedy)}</p></div>"
        for finding in summary.drift
    )
    return f"<section><h2>Problems</h2>{findings_html}</section>" if findings_html else ""


def _upcoming(summary: Summary) -> str:
    rows = "".join(
        f'<tr><td class="when">{relative(event.at, summary.snapshot.at)}</td>'
        f'<td class="at">{instant(event.at)}</td><td>{escape(event.words)}</td>'
        f'<td class="kid">{_kid(event.kid) if event.kid else ""}</td></tr>'
        for event in summary.upcoming
    )
    return _table("Next", rows)


def _running(summary: Summary) -> str:
    rows = "".join(
        f'<tr><td class="when">{escape(run.state)}</td>'
        f'<td class="at">since {instant(run.since or run.started)}</td>'
        f"<td>{escape(run.mode)}, by {escape(run.started_by)}</td>"
        f'<td class="kid">{escape(run.arn.rpartition(":")[2])}</td></tr>'
        for run in summary.snapshot.running or ()
    )
    return _table("Running executions", rows)


def _cutoffs(summary: Summary) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td>"
        f'<td class="at">{"any time" if cutoff.is_block else instant(cutoff.before)}</td>'
        f"<td>{f'until {instant(cutoff.until)}' if cutoff.until else 'until it is released'}</td></tr>"
        for name, cutoff in summary.cutoffs
    )
    return _table("Refused if issued before", rows)


def _table(title: str, rows: str) -> str:
    """A section with a table; empty if there is nothing to show."""
    head = f"<section><h2>{title}</h2><table><tbody>"
    return f"{head}{rows}</tbody></table></section>" if rows else ""


def _more_ended(summary: Summary) -> str:
    more = summary.more_ended
    return f'<tr><td colspan="6">{escape(more)}</td></tr>' if more else ""


def _key(summary: Summary, key: Key | EndedKey, last_live: Key | None) -> str:
    ended = key.ended if isinstance(key, EndedKey) else None
    until = ended or (last_live.verify_until if last_live else None)
    cells = (
        ("Created", instant(last_live.created if last_live else None)),
        ("Signs since", instant(last_live.activated if last_live else None)),
        (key.state.capitalize() if ended else "Verifies until", instant(until)),
        ("KMS", summary.kms(key)),
    )
    cells_html = "".join(
        f'<td class="stamp" data-label="{label}">{escape(text)}</td>' for label, text in cells
    )
    return (
        f'<tr><td class="kid">{escape(key.kid)}</td>'
        f'<td><span class="state is-{key.state}">{key.state}</span></td>{cells_html}</tr>'
    )
