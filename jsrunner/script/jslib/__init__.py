"""Our own equivalents of the libraries at jslib.k6.io that scripts use most, for runs offline.

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
    """The text of our library for the address of one; None if there is none."""
    match = _ADDRESS.match(url)
    if match is None:
        return None
    return Path(__file__).with_name(f"{match['name'].replace('-', '_')}.js").read_bytes()
