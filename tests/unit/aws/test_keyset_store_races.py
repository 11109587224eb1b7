"""Many writers at once, on the machine's own clock: no acknowledged change is lost."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock
from types import SimpleNamespace

from keyturn.aws.clock import SystemClock
from keyturn.aws.keyset_store import KeysetStore
from keyturn.keyset import document
from keyturn.keyset.model import EndedKey
from keyturn.keyset.states import State

WRITERS, CHANGES = 8, 3


class HastyClock(SystemClock):
    """The machine's clock, whose pauses are shorter than asked for."""

    def sleep(self, seconds):
        """See Clock."""
        time.sleep(seconds / 50)


class Atomic:
    """An SSM client for many threads: moto's own is for one."""

    def __init__(self, ssm):
        self._ssm, self._lock = ssm, Lock()

    def put_parameter(self, **params):
        """See SSM."""
        with self._lock:
            return self._ssm.put_parameter(**params)

    def get_parameters(self, **params):
        """See SSM."""
        with self._lock:
            return self._ssm.get_parameters(**params)

    def get_paginator(self, name):
        """See SSM."""
        pages = self._ssm.get_paginator(name)

        def paginate(**params):
            with self._lock:
                return list(pages.paginate(**params))

        return SimpleNamespace(paginate=paginate)


def change(kid):
    """Remember an ended key, once."""

    def change(keyset, now):
        if keyset.find(kid):
            return keyset
        end = EndedKey(
            kid, f"arn:aws:kms:::key/{kid[:3]}", State.RETIRED, *[now.replace(microsecond=0)] * 2
        )
        return replace(keyset, ended=(*keyset.ended, end))

    return change


def test_no_writer_loses_a_change(founded, origin, backdoor, aws):
    """Eight writers make three changes each, some replies get lost; all 24 are in the keyset."""
    ssm = Atomic(founded.clients.ssm_timed)
    aws.fail("ssm:PutParameter", aws.timeout, after=True, nth=5, times=3)

    def write(writer):
        store = KeysetStore("demo", HastyClock(), ssm, ssm)
        return [
            store.update(change(f"{writer}-{number}".ljust(43, "x")), origin)
            for number in range(CHANGES)
        ]

    with ThreadPoolExecutor(WRITERS) as pool:
        acknowledged = [made for made in pool.map(write, range(WRITERS)) for made in made]

    final, stored = founded.keysets.read(), founded.keysets.read_texts()
    assert sorted(stored) == list(range(1, WRITERS * CHANGES + 2))
    assert len({key.kid for key in final.keyset.ended}) == WRITERS * CHANGES
    for generation in acknowledged:
        assert document.loads(stored[generation.number]) == generation
        assert set(generation.keyset.ended) <= set(final.keyset.ended)
    for number in range(2, len(stored) + 1):
        ended = document.loads(stored[number]).keyset.ended
        assert len(ended) == number - 1  # each generation holds its predecessor and one change
    pages = backdoor.ssm.get_paginator("get_parameters_by_path").paginate(
        Path="/keyturn/demo/keyset"
    )
    assert {p["Version"] for page in pages for p in page["Parameters"]} == {1}
