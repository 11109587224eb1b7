"""Options that more than one verb has."""

from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen, do nothing.")]
Detach = Annotated[bool, typer.Option("--detach", help="Start it and do not follow.")]
Reason = Annotated[str, typer.Option(help="Why; it goes into the history.")]
