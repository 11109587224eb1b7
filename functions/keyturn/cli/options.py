"""Options shared by several commands."""

from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check and show what would happen; change nothing.")
]
Detach = Annotated[bool, typer.Option("--detach", help="Start it and return at once.")]
Reason = Annotated[str, typer.Option(help="The reason, stored in the history.")]
Drift = Annotated[
    bool, typer.Option("--drift", help="Even if a stack declares it; its template then differs.")
]
