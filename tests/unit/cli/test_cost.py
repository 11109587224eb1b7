"""`keyturn cost`: the bill adds up, follows the load, and takes any price."""

import json

import pytest

from keyturn.cli.cost.bill import PRICES, Load, bill
from tests.periods import DEFAULTS

NUMBERS = {name: price for name, price in PRICES.items() if not isinstance(price, str)}


def dollars(load, **prices):
    """The bill by what it is for."""
    return {line.what: line.dollars for line in bill(load, DEFAULTS, {**NUMBERS, **prices})}


def test_idle_costs_what_stands_there():
    """Two keys and a bit, metrics, alarms, dashboard; no calls but reconcile's."""
    idle = dollars(Load(0, 0))
    assert 2 <= idle["KMS keys: active, standby, grace"] < 2.1
    assert idle["POST /token"] == idle["Logs"] == idle["KMS requests"] == 0
    assert idle["Metrics"] == 20 * NUMBERS["metric_month"]


def test_each_token_is_one_signature():
    """A million tokens: a million kms:Sign, a million calls of POST /token."""
    busy = dollars(Load(1_000_000, 0))
    assert busy["KMS requests"] == pytest.approx(100 * NUMBERS["kms_10k_requests"])
    assert busy["POST /token"] == pytest.approx(NUMBERS["api_rest_1m_requests"])


def test_every_price_matters():
    """Twice a price, and the bill is another."""
    load = Load(1_000_000, 1_000_000)
    usual = sum(dollars(load).values())
    unused = {"api_http_1m_requests"}  # of another design, in `make bench PART=cost`
    same = {n for n, p in NUMBERS.items() if sum(dollars(load, **{n: 2 * p}).values()) == usual}
    assert same == unused


@pytest.mark.parametrize("width", [80, 120])
def test_what_it_says(deployment, keyturn, transcript, width):
    """A table with a total."""
    result = keyturn("cost", width=width)
    assert result.exit_code == 0
    transcript(f"cost-{width}", result.stdout)


def test_as_json(deployment, keyturn):
    """The lines add up to the total, and a price that was given is the one used."""
    output = json.loads(keyturn("cost", "--price", "kms_key_month=2", "--json").stdout)
    assert output["total"] == pytest.approx(
        sum(one["dollars"] for one in output["lines"]), abs=0.01
    )
    assert output["prices"]["kms_key_month"] == 2
    assert set(output) == {"load", "lines", "total", "prices", "prices_as_of"}


@pytest.mark.parametrize("price", ["bread=1", "kms_key_month=cheap", "kms_key_month=-1", "="])
def test_a_price_that_is_none(deployment, keyturn, price):
    """Exit status 2."""
    assert keyturn("cost", "--price", price).exit_code == 2
