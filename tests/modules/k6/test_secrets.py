"""k6/secrets as a script sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jsrunner.messages.protocol import Log, Secret
from jsrunner.secrets.sources import parse_sources

if TYPE_CHECKING:
    from collections.abc import Callable


def test_default_and_named(run: Callable[..., list[str]]) -> None:
    secrets = parse_sources(["mock=default,a=1,b=x=y", "mock=name=other,a=2"], {})
    assert run(
        """
        import secrets, { get } from 'k6/secrets';
        console.log(await secrets.get('a'), await secrets.get('b'), await secrets.source('other').get('a'),
          get);
        """,
        secrets=secrets,
    ) == ["1 x=y 2 null"]


@pytest.mark.parametrize(
    ("specs", "call", "error"),
    [
        ([], "secrets.get('a')", "no secret sources are configured"),
        (["mock=a=1"], "secrets.get('b')", "no value"),
        (["mock=a=1"], "secrets.get()", "no value"),
        (["mock=a=1"], "secrets.source('x').get('a')", 'no secret source with name "x" is configured'),
        (
            ["mock=a=1", "mock=name=n,a=1"],
            "secrets.get('a')",
            'no secret source with name "default" is configured',
        ),
    ],
)
def test_refusals(run: Callable[..., list[str]], specs: list[str], call: str, error: str) -> None:
    script = f"""
        import secrets from 'k6/secrets';
        await {call}.catch((e) => console.log(String(e), e.name));
    """
    assert run(script, secrets=parse_sources(specs, {})) == [f"{error} undefined"]


def test_the_coordinator_hears_of_a_secret_before_the_script_can_log_it(
    run: Callable[..., list[str]],
) -> None:
    said: list[Any] = []
    run(
        """
        import secrets from 'k6/secrets';
        console.log(await secrets.get('a'));
        console.log(await secrets.get('a'));
        """,
        secrets=parse_sources(["mock=a=hush"], {}),
        said=said,
    )
    heard = [one for one in said if isinstance(one, Secret) or one.level != "debug"]
    assert heard[0] == Secret("hush")
    assert [type(one) for one in heard[1:]] == [Log, Log]
