"""One odd input of an execution, or an odd public document, ends neither `status` nor `doctor`."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from keyturn.aws.executions import Execution
from keyturn.rotation.reconcile import run as reconcile
from tests.mutations import STRANGE, mutations
from tests.unit.cli.running import keyturn
from tests.unit.stage import START

JWKS = ".well-known/jwks.json"
DISCOVERY = ".well-known/openid-configuration"
RUN, FAILED, BY_HAND = "arn:run", "arn:failed", "arn:failed-by-hand"
ASKED = {"mode": "emergency", "kids": ["k" * 43], "reason": "leaked", "started_by": "alice"}
HUGE = {"mode": "emergency", "started_by": "x" * 200_000, "kids": [["k"] * 10_000]}
INPUTS = [*STRANGE, HUGE, {"mode": "emergency"}, {**ASKED, "kids": 7}, {**ASKED, "kids": [7, []]}]


def read_output(verb):
    """Return what the command prints with --json; it ends with exit status 0 or 1 and no error text."""
    result = keyturn(verb, "--json")
    assert result.exit_code in (0, 1)
    assert result.stderr == ""
    assert keyturn(verb).stdout  # without --json it prints, too
    return json.loads(result.stdout)


@pytest.mark.parametrize("odd", INPUTS, ids=lambda odd: ascii(odd)[:24])
def test_an_odd_input_hides_nothing_else(deployment, machine, odd):
    """The running one is listed, the failed one is a finding of its own, and the others are as before."""
    later = START + timedelta(seconds=5)
    machine.running = (Execution(RUN, "RUNNING", START, None),)
    machine.ended = (
        Execution(FAILED, "FAILED", START, START),
        Execution(BY_HAND, "ABORTED", later, later),
    )
    machine.inputs = {RUN: odd, FAILED: odd}
    status, doctor = read_output("status"), read_output("doctor")
    [run] = status["running"]
    mode = odd.get("mode", "unknown") if isinstance(odd, dict) else "unknown"
    assert (run["mode"], len(status["keys"])) == (mode, 2)
    assert status["read_errors"] == {}
    failed = {
        one["subject"]: one for one in doctor["findings"] if one["code"] == "failed_execution"
    }
    assert failed.keys() == {FAILED, BY_HAND}
    assert "input is invalid" in failed[FAILED]["problem"]
    assert "input is invalid" not in failed[BY_HAND]["problem"]


def put(cloud, name, body, **headers):
    """Write an object as a principal with `s3:PutObject` can, with the previous metadata."""
    cloud.s3.put(name, replace(cloud.s3.objects[JWKS][-1], body=body, **headers))


def bodies(good):
    """The JWKS with a part replaced, and what is no JWKS at all."""
    for mutated in mutations(good, seed=15, count=25):
        yield json.dumps(mutated)
    yield from (json.dumps(value) for value in STRANGE)
    yield from ("", "[" * 50_000, '{"keys":' * 9_000, "9" * 5_000)
    yield json.dumps({"keys": list(range(200_000)), "generation": 10**400})


def test_an_odd_jwks_hides_nothing_else(deployment, cloud, web):
    """Each odd JWKS is a finding, in the bucket and at the public URL, and the keys are still listed."""
    good = json.loads(cloud.s3.body(JWKS))
    for body in bodies(good):
        put(cloud, JWKS, body.encode())
        web.body = parsed(body)
        status, doctor = read_output("status"), read_output("doctor")
        assert len(status["keys"]) == 2
        codes = {finding["code"] for finding in doctor["findings"]}
        assert codes & {"jwks_foreign", "jwks_incomplete", "jwks_behind"} or parsed(body) == good


@pytest.mark.parametrize("seconds", ["9" * 5_000, "٣", "-1", "7.5", ""], ids=lambda text: text[:5])
def test_an_odd_header_of_the_jwks_is_a_finding(deployment, web, seconds):
    """A number that Python refuses to read is a header like another."""
    web.headers = {"Cache-Control": f"public, max-age={seconds}", "Age": seconds}
    findings = read_output("doctor")["findings"]
    assert "jwks_caching" in {finding["code"] for finding in findings}


@pytest.mark.parametrize("size", [16_385, 40_000_000])
@pytest.mark.parametrize("name", [JWKS, DISCOVERY])
def test_a_document_of_any_size_is_written_over(booted, cloud, aws, name, size):
    """At most our own document's size is read, because a function's memory is soon full."""
    before = cloud.s3.body(name)
    put(cloud, name, before + b" " * size)
    assert len(booted.well_known.read().body) <= 16_384
    reconcile(booted)
    assert cloud.s3.body(name) == before


def parsed(body):
    """As Http does it."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


@pytest.mark.parametrize(
    "body",
    [
        {"keys": 5, "generation": "two"},
        {"keys": [5, {"kid": []}, {"kid": None}], "generation": None},
        ["keys"],
        "no JSON",
    ],
    ids=["a number", "odd members", "a list", "a text"],
)
def test_an_odd_public_jwks_ends_neither_doctor_nor_status(deployment, web, body):
    """Doctor and status ignore what is not a key in the public JWKS."""
    web.body = body
    for verb in ("doctor", "status"):
        result = keyturn(verb)
        assert result.exit_code in (0, 1)
        assert "unexpected" not in result.stderr
