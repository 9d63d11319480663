"""A VU's cookie jars: its own, and those of its script."""

from __future__ import annotations

from jsrunner.transport.cookies import CookieJar
from jsrunner.transport.jars import CookieJars


def test_the_own_jar_is_made_when_it_is_needed_and_dropped_for_the_next_iteration() -> None:
    changes: list[bool] = []
    jars = CookieJars(lambda: changes.append(jars.own is not None))
    jars.drop_own()
    assert changes == []
    jar = jars.get()
    assert (jars.get(), changes) == (jar, [True])
    jars.drop_own()
    assert (jars.own, changes) == (None, [True, False])
    assert jars.get() is not jar


def test_jars_of_the_script_have_numbers() -> None:
    jars = CookieJars(lambda: None)
    first, second = CookieJar(), CookieJar()
    numbers = [jars.keep(first), jars.keep(second)]
    assert [jars.get(number) for number in numbers] == [first, second]
    jars.drop(numbers[0])
    jars.drop(numbers[0])
    assert jars.get(numbers[1]) is second
    assert len(jars) == 1
    jars.clear()
    assert jars.keep(first) not in numbers
