"""Messages of the remote write protocol, read by the official library from the protocol's definition."""

from __future__ import annotations

import math
import struct
from array import array
from collections import Counter
from typing import Any

import cramjam
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from jsrunner.outputs.remote_write import STALE, NativeHistogram, pack, sample, series

#: Messages, their fields: name, number, type, whether repeated. Of Prometheus's prompb/types.proto.
SCHEMA = {
    "Label": [("name", 1, "string", 0), ("value", 2, "string", 0)],
    "Sample": [("value", 1, "double", 0), ("timestamp", 2, "int64", 0)],
    "BucketSpan": [("offset", 1, "sint32", 0), ("length", 2, "uint32", 0)],
    "Histogram": [
        ("count_int", 1, "uint64", 0), ("sum", 3, "double", 0), ("schema", 4, "sint32", 0),
        ("zero_threshold", 5, "double", 0), ("zero_count_int", 6, "uint64", 0),
        ("negative_spans", 8, "BucketSpan", 1), ("negative_deltas", 9, "sint64", 1),
        ("positive_spans", 11, "BucketSpan", 1), ("positive_deltas", 12, "sint64", 1),
        ("timestamp", 15, "int64", 0),
    ],
    "TimeSeries": [("labels", 1, "Label", 1), ("samples", 2, "Sample", 1), ("histograms", 4, "Histogram", 1)],
    "WriteRequest": [("timeseries", 1, "TimeSeries", 1)],
}  # fmt: skip


def request_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="remote.proto", package="p", syntax="proto3")
    for name, fields in SCHEMA.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            one = message.field.add(name=field, number=number, label=3 if repeated else 1)
            if kind in SCHEMA:
                one.type, one.type_name = one.TYPE_MESSAGE, f".p.{kind}"
            else:
                one.type = getattr(one, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("p.WriteRequest"))


REQUEST = request_class()


def read(*messages: bytes) -> Any:
    body = bytes(cramjam.snappy.decompress_raw(pack(messages)))
    return REQUEST.FromString(body).timeseries


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(st.dictionaries(TEXT, TEXT, max_size=4), st.floats(allow_nan=False), st.integers(0, 2**62))
def test_a_sample_is_read_again(labels: dict[str, str], value: float, moment: int) -> None:
    (found,) = read(series(labels, sample(value, moment)))
    assert [(one.name, one.value) for one in found.labels] == sorted(labels.items())
    assert [(one.value, one.timestamp) for one in found.samples] == [(value, moment)]


def test_the_end_of_a_series_has_its_own_nan() -> None:
    (found,) = read(series({}, sample(STALE, 1)))
    assert struct.pack("<d", found.samples[0].value) == struct.pack("<Q", 0x7FF0000000000002)


VALUES = st.floats(-1e300, 1e300) | st.sampled_from([0.0, 1.0, 2.0, 0.5, -1.0, 1e-310])


@given(st.lists(st.lists(VALUES, max_size=10), max_size=3))
def test_a_native_histogram_counts_every_value_in_its_bucket(parts: list[list[float]]) -> None:
    histogram = NativeHistogram()
    for part in parts:
        histogram.extend(array("d", part))
    values = [value for part in parts for value in part]
    (found,) = read(series({"a": "b"}, histogram.encode(7)))
    (got,) = found.histograms
    assert (got.count_int, got.schema, got.timestamp) == (len(values), 3, 7)
    assert got.zero_count_int == sum(abs(value) <= got.zero_threshold for value in values)
    for sign, spans, deltas in (
        (1, got.positive_spans, got.positive_deltas), (-1, got.negative_spans, got.negative_deltas),
    ):  # fmt: skip
        expected = Counter(
            math.ceil(math.log2(abs(value)) * 8)
            for value in values
            if value * sign > 0 and abs(value) > got.zero_threshold
        )
        assert buckets(spans, deltas) == expected


def buckets(spans: Any, deltas: Any) -> Counter[int]:
    found: Counter[int] = Counter()
    rest, bucket, count = list(deltas), 0, 0
    for span in spans:
        bucket += span.offset
        for _ in range(span.length):
            count += rest.pop(0)
            found[bucket] = count
            bucket += 1
    assert not rest
    return found


@pytest.mark.parametrize(
    ("value", "unit", "bound"), [(1000, 1000, 1.0), (250, 1000, 0.25), (3, 1, 3.08)]
)
def test_a_bound_belongs_to_the_bucket_below(value: float, unit: float, bound: float) -> None:
    histogram = NativeHistogram(unit)
    histogram.extend(array("d", (value,)))
    (bucket,) = histogram.positive
    assert 2 ** (bucket / 8) == pytest.approx(bound, rel=0.01)


def test_what_is_no_number_is_counted_without_a_bucket() -> None:
    histogram = NativeHistogram()
    histogram.extend(array("d", (math.inf, math.nan)))
    assert (histogram.count, histogram.positive, histogram.negative) == (2, {}, {})
