"""Work that goes on in threads beside a block of code."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


@contextmanager
def in_background(stop: Event, *works: Callable[[], object]) -> Iterator[None]:
    """Repeat each work in a thread of its own; at the block's end, set `stop` and wait for them."""

    def repeat(work: Callable[[], object]) -> None:
        while not stop.is_set():
            work()

    threads = [Thread(target=repeat, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
