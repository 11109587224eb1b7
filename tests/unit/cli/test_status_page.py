"""The page of `keyturn status --html`, in a real browser.

PICTURES=write puts what it looks like into docs/.
"""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import shake_256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from keyturn.aws.keyset.kms_keys import KmsKey
from keyturn.aws.keyset.well_known import Projection
from keyturn.cli.snapshot import Run, Snapshot
from keyturn.cli.status.page import page
from keyturn.cli.status.summary import Summary
from keyturn.keyset import timing
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.tokens import base64url
from keyturn.tokens.jwk import PublicJwk
from tests.periods import DEFAULTS
from tests.unit.cli.browser import AVAILABLE, browsing
from tests.unit.cli.running import keyturn

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
DOCS = Path(__file__).parents[3] / "docs"
TIMES = replace(DEFAULTS, token_lifetime=86_400, rotation_period=14 * 86_400)
ARN = "arn:aws:kms:eu-central-1:123456789012:key/"
STICKING_OUT = """
[...document.querySelectorAll('section *')].filter(
    e => e.getBoundingClientRect().right > e.closest('section').getBoundingClientRect().right
).map(e => e.outerHTML)
"""


def jwk(name: str) -> PublicJwk:
    """A public key of the right size, always the same, without a private key."""
    modulus = bytearray(shake_256(name.encode()).digest(256))
    modulus[0] |= 0x80
    modulus[-1] |= 1
    return PublicJwk(base64url.encode(bytes(modulus)), "AQAB")


def key(name: str, state: State, created: float, *since: float) -> Key:
    """A key by the days before now of its instants; a grace key verifies as long as it should."""
    at = [NOW - timedelta(days=days) for days in (created, *since)]
    names = ("created", "published", "activated", "superseded")
    key = Key(
        jwk(name).kid, ARN + name, state, TIMES.token_lifetime, **dict(zip(names, at, strict=False))
    )
    if key.superseded is None:
        return key
    until = timing.verify_until(key.superseded, key.lifetime, TIMES)
    return replace(key, verify_until=until)


@pytest.fixture(scope="module")
def summary() -> Summary:
    """A stack that has lived: turned twice, once in an emergency, and turns again."""
    retired = key("first", State.GRACE, 24, 24, 20, 12)
    revoked = key("second", State.ACTIVE, 20, 20, 12)
    grace = key("third", State.GRACE, 12, 12, 7, 0.6)
    active = key("fourth", State.ACTIVE, 7, 7, 0.6)
    standby = key("fifth", State.STANDBY, 0.6, 0.6)
    ended = (
        EndedKey(
            retired.kid,
            retired.kms_key_arn,
            State.RETIRED,
            retired.created,
            NOW - timedelta(days=10.9),
        ),
        EndedKey(
            revoked.kid,
            revoked.kms_key_arn,
            State.REVOKED,
            revoked.created,
            NOW - timedelta(days=7),
        ),
    )
    origin = ("op-1", "schedule", "active_key_due")
    generations = (
        Generation(40, *origin, NOW - timedelta(days=12), Keyset((retired, revoked))),
        Generation(47, *origin, NOW - timedelta(hours=14), Keyset((grace, active, standby), ended)),
    )
    gone = NOW + timedelta(days=19)
    kms = {
        one.kms_key_arn: KmsKey(
            one.kms_key_arn,
            NOW,
            enabled=one in generations[-1].keyset.keys,
            pending_deletion=one not in generations[-1].keyset.keys,
            has_our_spec=True,
            deletion=None if one in generations[-1].keyset.keys else gone,
        )
        for one in generations[-1].keyset.all_keys
    }
    shown = {one.kid: one for one in map(jwk, ("third", "fourth", "fifth"))}
    members = {"generation": 47, "keys": [one.members() for one in shown.values()]}
    projection = Projection(47, shown, json.dumps(members).encode(), "etag", "max-age=300")
    run = Run(
        "arn:aws:states:eu-central-1:123456789012:execution:keyturn:5e1f0c9a",
        "scheduled",
        "schedule",
        NOW - timedelta(days=0.6),
        "WaitForGrace",
        NOW - timedelta(days=0.6),
    )
    settings: Any = SimpleNamespace(times=TIMES)
    snapshot = Snapshot(
        at=NOW,
        settings=settings,
        generations=generations,
        projection=projection,
        public=None,
        false_metadata=(),
        kms=kms,
        foreign=frozenset(),
        running=(run,),
        unresolved=(),
        schedules=(),
        clock_offset=timedelta(0),
        read_errors={},
    )
    return Summary("keyturn-prod", "eu-central-1", snapshot)


@pytest.fixture(scope="module")
def well(summary, tmp_path_factory) -> Path:
    """Its page."""
    file = tmp_path_factory.mktemp("page") / "status.html"
    file.write_text(page(summary))
    return file


@pytest.fixture(scope="module")
def off(summary, tmp_path_factory) -> Path:
    """The page of a stack in trouble, with names that are hard to show."""
    odd = '<script>alert("x")</script>' + "w" * 60
    snapshot = replace(
        summary.snapshot,
        kms={},
        projection=None,
        running=(replace(summary.snapshot.running[0], started_by=odd),),
    )
    file = tmp_path_factory.mktemp("page") / "off.html"
    file.write_text(page(replace(summary, snapshot=snapshot, stack=odd)))
    return file


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium."""
    if not AVAILABLE:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with browsing() as browser:
        yield browser


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("which", ["well", "off"])
def test_the_page_fits_says_nothing_and_asks_nobody(browser, request, which, width, dark):
    """The page has no horizontal overflow and no console error, and requests nothing but itself."""
    file = request.getfixturevalue(which)
    browser.show(file, width=width, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(STICKING_OUT) == []
    assert browser.complaints == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [file.as_uri()]
    if which == "well" and os.environ.get("PICTURES") == "write" and dark == (width == 390):
        (DOCS / f"status-{width}.png").write_bytes(browser.picture())


def test_text_is_drawn(browser, well):
    """Text has a width: without a font every page would fit."""
    browser.show(well, width=390)
    assert browser.evaluate(
        "document.createElement('canvas').getContext('2d').measureText('m').width"
    )


def test_every_lane_is_where_it_should_be(browser, well, summary):
    """The five lanes are in the order of their creation, with the now line at the same place in each."""
    browser.show(well, width=1200)
    assert browser.evaluate("document.querySelectorAll('.lane').length") == 5
    places = "[...document.querySelectorAll('line.now')].map(e => e.getAttribute('x1'))"
    assert len(set(browser.evaluate(places))) == 1
    named = "[...document.querySelectorAll('.who .kid')].map(e => e.textContent)"
    names = ["first", "second", "third", "fourth", "fifth"]
    assert browser.evaluate(named) == [jwk(name).kid[:8] for name in names]
    ends = browser.evaluate("[...document.querySelectorAll('.end')].map(e => e.className.baseVal)")
    assert ends == ["end retired", "end revoked"]


def test_nothing_in_it_is_taken_for_markup(off):
    """A `started_by`, which any principal that starts an execution chooses, is shown as text."""
    assert "<script" not in off.read_text()


def test_it_holds_no_outside_reference(well):
    """The page contains no link, script, import or URL."""
    text = well.read_text()
    assert not [word for word in ("http:", "https:", "<script", "@import", "url(") if word in text]


def test_it_is_written_where_one_says(deployment, tmp_path):
    """`--html FILE`, beside what the terminal says."""
    file = tmp_path / "page.html"
    result = keyturn("status", "--html", str(file))
    assert result.exit_code == 0
    assert f"Written to {file}" in result.stdout
    assert file.read_text().startswith("<!doctype html>")
