"""Layers of options become one: config file < script < environment < flags."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jsrunner.options.model import SHORTCUTS, Options, rows

if TYPE_CHECKING:
    from collections.abc import Mapping


def consolidate(
    layers: Mapping[str, Options], *, merge_tags: bool = False
) -> tuple[Options, list[str]]:
    """Merge the layers (lowest first; their names are for warnings): (options, warnings).

    A layer that says anything of the load replaces all that lower layers say of it. Fields of `dns`
    merge singly, and tags if `merge_tags`; other options are taken as a whole.
    """
    merged = Options()
    warnings = []
    for name, layer in layers.items():
        values = {
            one.name: value for one, _ in rows() if (value := getattr(layer, one.name)) is not None
        }
        if any(shortcut in values for shortcut in SHORTCUTS):
            if merged.scenarios is not None:
                warnings.append(
                    f'"{name}" level configuration overrode scenarios configuration entirely'
                )
            merged = replace(merged, **dict.fromkeys(SHORTCUTS))
        if "stages" in values:  # k6 drops those that do not say how long they last
            values["stages"] = tuple(one for one in values["stages"] if one.duration is not None)
        if merged.dns and "dns" in values:
            values["dns"] = merged.dns | values["dns"]
        if values.get("tags") == {}:
            del values["tags"]
        if merge_tags and merged.tags and "tags" in values:
            values["tags"] = merged.tags | values["tags"]
        merged = replace(merged, **values)
    return merged, warnings
