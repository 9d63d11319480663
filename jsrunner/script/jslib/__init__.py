"""Bundled replacements of the libraries at jslib.k6.io that scripts use most, for runs offline.

They have the functions that their documentation lists, whatever version the script names:
https://grafana.com/docs/k6/latest/javascript-api/jslib/utils/ and
https://github.com/grafana/jslib.k6.io for `k6-summary`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_ADDRESS: Final = re.compile(
    r"https://jslib\.k6\.io/(?P<name>k6-utils|k6-summary)/[^/]+/index\.js(?:[?#].*)?\Z"
)


def equivalent(url: str) -> bytes | None:
    """Return the text of the replacement of a library.

    Args:
        url: The library's URL.

    Returns:
        The text; None if there is no replacement.
    """
    match = _ADDRESS.match(url)
    if match is None:
        return None
    return Path(__file__).with_name(f"{match['name'].replace('-', '_')}.js").read_bytes()
