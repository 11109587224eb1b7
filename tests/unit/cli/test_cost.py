"""`keyturn cost`: the bill adds up, follows the load, and takes any price."""

import json

import pytest

from keyturn.cli.cost.costs import DECISION_BYTES, MONTH, PRICES, Load, estimate_costs
from tests.periods import DEFAULTS
from tests.template import RESOURCES
from tests.unit.cli.running import keyturn, transcript
from tools.bench import logs

NUMBERS = {name: price for name, price in PRICES.items() if not isinstance(price, str)}


def dollars(load, **prices):
    """The bill by what it is for."""
    return {
        line.item: line.dollars for line in estimate_costs(load, DEFAULTS, {**NUMBERS, **prices})
    }


def test_idle_costs_what_stands_there():
    """Keys, alarms, dashboard, and what runs every ten minutes, whose containers are always cold."""
    idle = dollars(Load(0, 0))
    assert 2 <= idle["KMS keys: active, standby, grace"] < 2.1
    assert idle["POST /token"] == idle["Logs"] == idle["Parameter Store reads"] == 0
    assert idle["Metrics"] == 3 * NUMBERS["metric_month"]
    runs = MONTH / 600
    assert idle["Lambda starts"] == pytest.approx(2 * runs * 0.25 * NUMBERS["lambda_gb_second"])
    assert idle["Schedules"] == pytest.approx((2 * runs + 30) / 1e6)
    assert idle["KMS requests"] > 0  # reconcile asks for each key's state
    assert 7.3 < sum(idle.values()) < 7.5


def test_each_alarm_is_billed():
    """The bill has as many alarms as the template."""
    kinds = [resource["Type"] for resource in RESOURCES.values()]
    alarms = kinds.count("AWS::CloudWatch::Alarm")
    assert dollars(Load(0, 0))["Alarms"] == pytest.approx(alarms * NUMBERS["alarm_month"])


def test_cold_starts_are_billed():
    """INIT counts since August 2025: half a second for a thousandth of the calls, half of what all others take."""
    idle, busy = dollars(Load(0, 0)), dollars(Load(0, 10_000_000))
    starts, calls = (busy[what] - idle[what] for what in ("Lambda starts", "Lambda time"))
    assert starts == pytest.approx(calls / 2)


def test_higher_throughput_has_its_price():
    """Reads are free until the account switches it on; then each container pays for keyset and document."""
    load = Load(0, 1_000_000, containers=1_000)
    assert dollars(load)["Parameter Store reads"] == 0
    paid = dollars(Load(0, 1_000_000, containers=1_000, higher_throughput=True))
    reads = 2 * 1_000 * MONTH / DEFAULTS.view_ttl
    assert paid["Parameter Store reads"] == pytest.approx(reads / 10_000 * 0.05)


def test_what_is_billed_for_logs_is_what_is_logged():
    """The bill's bytes are those that the bench measures; the stack's name is in them."""
    assert logs.measure()["accepted"] == pytest.approx(DECISION_BYTES, abs=5)


def test_each_token_is_one_signature():
    """A million tokens: a million kms:Sign, a million calls of POST /token."""
    busy = dollars(Load(1_000_000, 0))
    signed = busy["KMS requests"] - dollars(Load(0, 0))["KMS requests"]
    assert signed == pytest.approx(100 * NUMBERS["kms_10k_requests"])
    assert busy["POST /token"] == pytest.approx(NUMBERS["api_rest_1m_requests"])


def test_every_price_matters():
    """If any price doubles, the bill changes."""
    load = Load(1_000_000, 1_000_000, higher_throughput=True)
    usual = sum(dollars(load).values())
    unused = {"api_http_1m_requests"}  # of another design, in `make bench PART=cost`
    same = {n for n, p in NUMBERS.items() if sum(dollars(load, **{n: 2 * p}).values()) == usual}
    assert same == unused


@pytest.mark.parametrize("width", [80, 120])
def test_what_it_says(deployment, cloud, width):
    """The command prints a table with a total."""
    result = keyturn("cost", width=width)
    assert result.exit_code == 0
    transcript(cloud, f"cost-{width}", result.stdout)


def test_as_json(deployment):
    """The lines add up to the total, and a price that was given is the one used."""
    output = json.loads(keyturn("cost", "--price", "kms_key_month=2", "--json").stdout)
    assert output["total"] == pytest.approx(
        sum(one["dollars"] for one in output["lines"]), abs=0.01
    )
    assert output["prices"]["kms_key_month"] == 2
    assert set(output) == {"load", "lines", "total", "prices", "prices_as_of"}


@pytest.mark.parametrize("price", ["bread=1", "kms_key_month=cheap", "kms_key_month=-1", "="])
def test_a_price_that_is_none(deployment, price):
    """It is invalid usage: exit status 2."""
    assert keyturn("cost", "--price", price).exit_code == 2
