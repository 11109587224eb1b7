"""`keyturn cost`: a month's bill, with the load and any price as inputs."""

from dataclasses import asdict
from typing import Annotated

import typer

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.cost.costs import PRICES, Load, estimate_costs
from keyturn.cli.formatting import table
from keyturn.cli.terminal import Terminal, UsageError

Tokens = Annotated[int, typer.Option(min=0, help="Tokens issued per month.")]
Calls = Annotated[int, typer.Option(min=0, help="Authorizer calls per month.")]
Containers = Annotated[
    int,
    typer.Option(
        min=0,
        help="Busy containers on average; each reads the keyset and a document every C seconds.",
    ),
]
HigherThroughput = Annotated[
    bool,
    typer.Option(help="Parameter Store's higher throughput, needed above some 500 containers."),
]
Prices = Annotated[
    list[str] | None,
    typer.Option("--price", help="Replace a list price: NAME=DOLLARS; repeatable."),
]


def cost(
    terminal: Terminal,
    deployment: Deployment,
    *,
    tokens: Tokens = 1_000_000,
    authorizations: Calls = 10_000_000,
    containers: Containers = 10,
    higher_throughput: HigherThroughput = False,
    price: Prices = None,
) -> None:
    """What this stack costs per month; calls to your own APIs and stored logs are extra."""
    prices = {name: value for name, value in PRICES.items() if not isinstance(value, str)}
    prices.update(_parse_prices(price or [], prices))
    load = Load(tokens, authorizations, containers, higher_throughput)
    lines = estimate_costs(load, deployment.settings.times, prices)
    total = sum(line.dollars for line in lines)
    bill = table("PER MONTH")
    for column in ("AMOUNT", "OF", "DOLLARS"):
        bill.add_column(column, justify="left" if column == "OF" else "right", no_wrap=True)
    for line in lines:
        bill.add_row(line.item, f"{line.amount:,.2f}", line.unit, f"{line.dollars:,.2f}")
    bill.add_row("Total", "", "", f"{total:,.2f}", style="bold")
    terminal.say(f"{tokens:,} tokens and {authorizations:,} authorizations per month")
    terminal.say(bill)
    terminal.say(f"List prices of {PRICES['as_of']}, {PRICES['region']}: check them.", "dim")
    terminal.result(
        {
            "load": asdict(load),
            "lines": [{**asdict(line), "dollars": round(line.dollars, 4)} for line in lines],
            "total": round(total, 2),
            "prices": prices,
            "prices_as_of": PRICES["as_of"],
        }
    )


def _parse_prices(arguments: list[str], prices_by_name: dict[str, float]) -> dict[str, float]:
    prices = {}
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in prices_by_name:
            raise UsageError(
                f"--price {name}: no such price", f"the prices are {', '.join(prices_by_name)}"
            )
        try:
            prices[name] = float(value)
        except ValueError:
            raise UsageError(f"--price {name}: not a number of dollars") from None
        if not 0 <= prices[name] < float("inf"):
            raise UsageError(f"--price {name}: not a number of dollars")
    return prices
