"""Metric contexts: the tags and the metadata of the samples that a VU takes now.

Scenarios, groups and `exec.vu.metrics` set tags here. The core records samples by two numbers, of a tag
set and of metadata. With k6's feature `async-metric-context` the core also swaps contexts while a
script runs (core/metric_context.c). Then its numbers decide about the tags.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jsrunner.engine.recorder import SampleRecorder, TagSet

#: The name of k6's feature.
FEATURE: Final = "async-metric-context"


class MetricContext:
    """The tags and metadata of one VU's samples.

    The VU makes it and keeps it for life. Neither dictionary is changed in place.
    """

    #: True if the core swaps it while a script runs.
    is_async = False

    def __init__(
        self, recorder: SampleRecorder, tags: dict[str, str], metadata: dict[str, str] | None
    ) -> None:
        self._recorder = recorder
        #: The VU's number in the core, -1 while it has none.
        self.index = -1
        self._tags, self._metadata = tags, metadata
        self._tag_set: TagSet | None = None

    def begin(self, index: int) -> None:
        """Publish the context under the VU's number in the core; no script runs yet."""
        self.index = index

    @property
    def tags(self) -> dict[str, str]:
        """The object `exec.vu.metrics.tags`, with the system tags that are known beforehand."""
        self._read()
        return self._tags

    @property
    def metadata(self) -> dict[str, str] | None:
        """The object `exec.vu.metrics.metadata`; None without metadata."""
        self._read()
        return self._metadata

    @property
    def tag_set(self) -> TagSet:
        """The interned `tags`."""
        self._read()
        if self._tag_set is None:
            self._tag_set = self._recorder.tag_set(self._tags)
        return self._tag_set

    def replace(self, tags: dict[str, str], metadata: dict[str, str] | None) -> None:
        """Replace the tags and the metadata of the samples from now on."""
        self._tags, self._tag_set, self._metadata = tags, None, metadata
        self._publish()

    def set_tag(self, name: str, value: str | None) -> None:
        """Change a tag of the samples from now on; None removes it."""
        self._read()
        self._tags, self._tag_set = _with(self._tags, name, value), None
        self._publish()

    def set_metadata(self, name: str, value: str | None) -> None:
        """Change metadata of the samples from now on; None removes it."""
        self._read()
        self._metadata = _with(self._metadata or {}, name, value) or None
        self._publish()

    def number(self) -> int:
        """Return the number of the tag set, which the core keeps until the tags change."""
        number = self.tag_set.number
        self._show(number)
        return number

    def _read(self) -> None:
        """Read the context back from the core, if the core can change it."""

    def _publish(self) -> None:
        """Tell the core of a change: its next sample asks for the tag set."""
        self._show(-1)

    def _show(self, tag_set: int) -> None:
        metadata = self._recorder.metadata_number(self._metadata)
        self._recorder.library.core_vu_tags(self.index, tag_set, metadata)


class AsyncMetricContext(MetricContext):
    """A context that the core swaps (the feature `async-metric-context`): it always has numbers."""

    is_async = True

    def begin(self, index: int) -> None:
        """Publish the context, and have the core track contexts."""
        super().begin(index)
        self._recorder.library.core_vu_track_contexts(index)
        self._publish()

    def _read(self) -> None:
        numbers = (ctypes.c_int32 * 2)()
        self._recorder.library.core_vu_context(self.index, numbers)
        recorder = self._recorder
        tag_set = recorder.tag_set_of(numbers[0])
        if tag_set is not None:
            self._tag_set, self._tags = tag_set, tag_set.tags
            self._metadata = recorder.metadata_of(numbers[1])

    def _publish(self) -> None:
        recorder = self._recorder
        self._tag_set = recorder.tag_set(self._tags)
        self._show(self._tag_set.number)

    def _show(self, tag_set: int) -> None:
        metadata = self._recorder.intern_metadata(self._metadata)
        self._recorder.library.core_vu_tags(self.index, tag_set, metadata)


def _with(values: dict[str, str], name: str, value: str | None) -> dict[str, str]:
    """Return a copy with one value changed, or removed if it is None."""
    copy = dict(values)
    if value is None:
        copy.pop(name, None)
    else:
        copy[name] = value
    return copy
