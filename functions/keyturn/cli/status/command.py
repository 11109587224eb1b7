"""`keyturn status`: read the stack once, print it as text, JSON or a page."""

from pathlib import Path
from typing import Annotated

import typer

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.snapshot import read_snapshot
from keyturn.cli.status.page import page
from keyturn.cli.status.summary import Summary
from keyturn.cli.status.text import say_status
from keyturn.cli.terminal import ProblemFound, Terminal

Html = Annotated[
    Path | None, typer.Option(help="Also write it as one self-contained HTML page.", dir_okay=False)
]


def status(terminal: Terminal, deployment: Deployment, html: Html = None) -> None:
    """The keys at a glance: states, timeline, upcoming events, problems."""
    with terminal.progress("reading keyset, JWKS, KMS and executions"):
        summary = Summary(deployment.stack, deployment.region, read_snapshot(deployment))
    say_status(terminal, summary)
    if html:
        html.write_text(page(summary), encoding="utf-8")
        terminal.plain(f"\nWritten to {html}")
    terminal.result(summary.members())
    if summary.drift:
        raise ProblemFound
