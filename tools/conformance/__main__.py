"""`make conformance`: Keyturn on whatever AWS the environment names, deployed, tried and taken away again."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from keyturn.cli.local import LocalAws, ToolFailed, Workshop, running
from tests.definition import ROOT
from tools.conformance.items import World
from tools.conformance.order import Order, Refused
from tools.conformance.place import Account, LocalPlace
from tools.conformance.report import line, report
from tools.conformance.run import Run


def main() -> int:
    """Exit status 0 if all that was run holds and nothing is left, 2 if the run was refused.

    The end-to-end tests, which keep what they write apart, set PLACE.
    """
    workshop = Workshop(ROOT, Path(os.environ.get("PLACE") or ROOT / "build/conformance"))
    path = workshop.place / "report.md"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        order = Order.from_environ(os.environ)
        with _place(order, workshop) as place:
            account = order.confirmed()
            order.insist_that_nothing_is_there()
            return conform(World(order, place, account), path)
    except (Refused, ToolFailed) as error:
        print(f"make conformance: {error}", file=sys.stderr)
        return 2


def conform(world: World, path: Path) -> int:
    """Run every item, delete what was created, and write the report there; returns the exit status."""
    run = Run(world, lambda result: print(line(result), flush=True))
    try:
        run.go()
    finally:
        try:
            with _uninterrupted():
                run.tear_down()
        finally:
            path.parent.mkdir(exist_ok=True)
            path.write_text(report(run, world))
            print(f"\n{'Conforms' if run.held else 'Does not conform'}. Report: {path}")
    return 0 if run.held else 1


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C would leave in the account what the first one wanted gone."""
    before = {sign: signal.signal(sign, signal.SIG_IGN) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


@contextmanager
def _place(order: Order, workshop: Workshop) -> Iterator[Account]:
    if order.endpoint:
        aws = LocalAws(order.endpoint)
        os.environ.update(aws.environ)
        yield LocalPlace(workshop, aws)
    elif order.local:
        with running(workshop) as aws:
            yield LocalPlace(workshop, aws)
    else:
        # boto3 reads AWS_DEFAULT_REGION and the profile, the command AWS_REGION first: one for both.
        region = os.environ.get("AWS_REGION") or boto3.Session().region_name
        if not region:
            raise Refused("no Region: set AWS_REGION")
        os.environ.update(AWS_REGION=region, AWS_DEFAULT_REGION=region)
        yield Account(workshop)


if __name__ == "__main__":
    sys.exit(main())
