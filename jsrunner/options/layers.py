"""Consolidation of the layers of options. From low to high: config file, script, environment, flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from jsrunner.options.model import SHORTCUTS, Options, rows

if TYPE_CHECKING:
    from collections.abc import Mapping


def consolidate(
    layers: Mapping[str, Options], *, merge_tags: bool = False
) -> tuple[Options, list[str]]:
    """Merge layers of options, as k6 does.

    A layer that sets an option of the load (see `SHORTCUTS`) discards all such options of lower layers.
    Fields of `dns` are merged one by one. Any other option replaces that of lower layers.

    Args:
        layers: The options by the layer's name, the lowest layer first. Warnings show the names.
        merge_tags: True if `tags` are merged one by one, too (k6's feature merge-run-tags).

    Returns:
        The merged options, and warnings for the log.
    """
    merged = Options()
    warnings = []
    for name, layer in layers.items():
        values = {
            option: value for option, _ in rows() if (value := getattr(layer, option)) is not None
        }
        if any(shortcut in values for shortcut in SHORTCUTS):
            if merged.scenarios is not None:
                warnings.append(
                    f'"{name}" level configuration overrode scenarios configuration entirely'
                )
            merged = replace(merged, **dict.fromkeys(SHORTCUTS))
        if "stages" in values:  # k6 drops stages without a duration
            values["stages"] = tuple(stage for stage in values["stages"] if stage.duration is not None)
        if merged.dns and "dns" in values:
            values["dns"] = merged.dns | values["dns"]
        if values.get("tags") == {}:
            del values["tags"]
        if merge_tags and merged.tags and "tags" in values:
            values["tags"] = merged.tags | values["tags"]
        merged = replace(merged, **values)
    return merged, warnings
