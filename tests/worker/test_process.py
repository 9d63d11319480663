"""What the VUs of a process share."""

from __future__ import annotations

from typing import Any

import gevent

from jsrunner.worker.process import Pool


def test_the_vu_that_waits_longest_is_taken_first() -> None:
    pool: Any = Pool()
    for vu in ("a", "b"):
        pool.give_back(vu)
    assert len(pool) == 2
    assert pool.take() == "a"
    pool.give_back("a")
    assert (pool.take(), pool.take(), len(pool)) == ("b", "a", 0)


def test_who_finds_none_gets_the_next_that_is_given_back() -> None:
    pool: Any = Pool()
    waiting = [gevent.spawn(pool.take) for _ in range(3)]
    gevent.idle()
    pool.give_back("a")
    pool.give_back("b")
    gevent.idle()
    assert sorted(one.value for one in waiting if one.ready()) == ["a", "b"]
    pool.give_back("c")
    gevent.joinall(waiting, timeout=20)
    assert sorted(one.value for one in waiting) == ["a", "b", "c"]
    assert len(pool) == 0
