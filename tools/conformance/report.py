"""The report: one table for people, and for us. It names no account."""

from collections.abc import Iterable
from importlib.metadata import version

import boto3

from keyturn.cli.cost.costs import PRICES
from tools.command import run as run_command
from tools.conformance.bill import bill
from tools.conformance.items import Outcome, Result, World
from tools.conformance.run import OUT_OF_REACH, Run

BLANK = "············"
_MARKS = {Outcome.HELD: "✓", Outcome.FAILED: "✗", Outcome.ANSWERED: "?", Outcome.NOT_RUN: "–"}


def line(result: Result) -> str:
    """One result for the terminal."""
    seconds = f" ({result.seconds:.1f} s)" if result.seconds else ""
    says = f"not run: {result.says}" if result.outcome is Outcome.NOT_RUN else result.says
    return f"{_MARKS[result.outcome]} {result.item.title}{seconds}\n  {says}"


def report(run: Run, world: World) -> str:
    """The whole report in Markdown, every account id in it blanked."""
    commit = run_command("git", "describe", "--always", "--dirty").stdout.strip() or "unknown"
    verdict, region = (
        "conforms" if run.held else "does not conform",
        boto3.client("sts").meta.region_name,
    )
    text = "\n".join(
        [
            "# Keyturn's conformance run",
            "",
            f"Keyturn {version('keyturn')}, commit {commit}, on {world.place.name} in {region}: "
            f"**{verdict}**, {run.hours * 60:.0f} minutes.",
            "",
            *_table(run.results),
            "",
            "## What it cost",
            "",
            *_costs(run, world),
            "",
            "## What is left",
            "",
            *([f"* {what}" for what in run.left] or ["Nothing that costs money."]),
            "",
            "## What to send us",
            "",
            "This file as it is: the account's id is blanked, and no token and no name of a person is in it. If "
            "something failed, add the stack's events of that time if you have them.",
            "",
        ]
    )
    return text.replace(world.account, BLANK)


def _table(results: Iterable[Result]) -> list[str]:
    rows = [
        f"| `{result.item.name}` | {result.item.title} | {result.outcome} | {result.seconds:.1f} "
        f"| {_cell(result.says)} |"
        for result in results
    ]
    rows += [
        f"| `{name}` | {title} | {Outcome.NOT_RUN} | 0.0 | {why} |"
        for name, (title, why) in OUT_OF_REACH.items()
    ]
    return ["| item | what | outcome | seconds | seen |", "|---|---|---|---|---|", *rows]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _costs(run: Run, world: World) -> list[str]:
    lines = bill(world.figures, run.hours)
    total = sum(entry.dollars for entry in lines)
    local = ["Nothing: it ran on a local AWS. On an account the same load costs:", ""]
    return [
        *(local if world.place.is_local else []),
        "| what | amount | of | dollars |",
        "|---|---|---|---|",
        *(
            f"| {entry.item} | {entry.amount:,.4f} | {entry.unit} | {entry.dollars:.4f} |"
            for entry in lines
        ),
        f"| total | | | {total:.2f} |",
        "",
        f"Estimated by the list prices of {PRICES['as_of']}; hours are rounded up.",
    ]
