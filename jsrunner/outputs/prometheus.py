"""The output `--out experimental-prometheus-rw`: running figures of each series, by remote write.

A counter becomes `k6_NAME_total`, a rate `k6_NAME_rate`, a gauge `k6_NAME`. A trend becomes
`k6_NAME_STAT` for each statistic, or one native histogram. Times are in seconds.
https://grafana.com/docs/k6/latest/results-output/real-time/prometheus-remote-write/
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from jsrunner.errors import UsageError
from jsrunner.metrics.sinks import CounterSink, GaugeSink, RateSink, TrendSink
from jsrunner.outputs import remote_write
from jsrunner.outputs.aggregates import AggregatePusher
from jsrunner.outputs.base import OutputConfig
from jsrunner.outputs.http import Poster, basic, context
from jsrunner.outputs.pusher import PIECE
from jsrunner.outputs.variables import Variables, need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from jsrunner.metrics.sinks import Distribution
    from jsrunner.metrics.store import MergedSeries
    from jsrunner.outputs.aggregates import Figures

_NAME: Final = "experimental-prometheus-rw"
_STATS: Final = ("avg", "min", "max", "med", "count", "sum")
#: Prometheus's base units by the metric's `contains`.
_UNITS: Final = {"time": "seconds", "data": "bytes"}


class PrometheusOutput(AggregatePusher):
    """The coordinator's half of the output.

    Args:
        description: The output, as messages name it.
        interval: Seconds between two sends.
        distribution: Makes the sink of a trend's series.
        poster: The HTTP client.
        url: The receiver.
        stats: The suffixes of the names by the trends' statistics.
        labels: The labels of each series besides its tags.
        stale: True if the series are marked as ended at the end.
    """

    def __init__(
        self, description: str, interval: float, distribution: Callable[[MergedSeries], Distribution],
        *, poster: Poster, url: str, stats: Mapping[str, str], labels: Mapping[str, str], stale: bool,
    ) -> None:  # fmt: skip
        super().__init__(description, interval, distribution)
        self._poster = poster
        self._url = url
        self._stats = stats
        self._labels = labels
        self._stale = stale
        #: The times of the last samples sent by series, in milliseconds: the receiver refuses a second
        #: sample of the same time.
        self._sent: dict[MergedSeries, int] = {}

    def export(self) -> None:
        """Send the figures that have changed."""
        moments = {}
        messages = []
        for figures in self.figures.values():
            before = self._sent.get(figures.series, 0)
            moment = int(figures.changed * 1000)
            if moment > before:
                moments[figures.series] = moment
                messages += [
                    remote_write.series(labels, content)
                    for labels, content in self._describe(figures, moment)
                ]
        self._send(messages)
        self._sent |= moments

    def disconnect(self) -> None:
        """Mark the series as ended, if the setting STALE_MARKERS is on."""
        if self._stale and self._sent:
            self._send([
                remote_write.series(labels, remote_write.sample(remote_write.STALE, moment + 1))
                for series, moment in self._sent.items()
                for labels, _ in self._describe(self.figures[series], moment)
            ])  # fmt: skip

    def _send(self, messages: Sequence[bytes]) -> None:
        """Send messages, about PIECE bytes per request."""
        batch: list[bytes] = []
        size = 0
        for message in messages:
            batch.append(message)
            size += len(message)
            if size >= PIECE:
                self._poster.post(self._url, remote_write.pack(batch))
                batch, size = [], 0
        if batch:
            self._poster.post(self._url, remote_write.pack(batch))

    def _describe(self, figures: Figures, moment: int) -> Iterator[tuple[dict[str, str], bytes]]:
        """Yield the labels and the content of Prometheus's series that a series becomes."""
        metric, sink = figures.series.metric, figures.sink
        tags = {key: value for key, value in figures.series.tags.items() if key and value}
        labels = {**self._labels, **tags}

        def named(suffix: str) -> dict[str, str]:
            return labels | {"__name__": f"k6_{metric.name}{'_' if suffix else ''}{suffix}"}

        if isinstance(sink, remote_write.NativeHistogram):
            yield named(_UNITS.get(metric.contains, "")), sink.encode(moment)
        elif isinstance(sink, TrendSink):
            for stat, suffix in self._stats.items():
                # k6 divides even the count by the unit.
                value = sink.figure(stat) / _unit(figures.series)
                yield named(suffix), remote_write.sample(value, moment)
        elif isinstance(sink, CounterSink):
            yield named("total"), remote_write.sample(sink.count, moment)
        elif isinstance(sink, RateSink):
            yield named("rate"), remote_write.sample(sink.value_of("rate", 0), moment)
        else:
            assert isinstance(sink, GaugeSink)
            yield named(""), remote_write.sample(sink.value, moment)


def _unit(series: MergedSeries) -> float:
    """Return the divisor of a series' values: milliseconds become seconds."""
    return 1000.0 if series.metric.contains == "time" else 1.0


def configure(argument: str, environment: Mapping[str, str]) -> OutputConfig:
    """Read the settings of the output.

    Args:
        argument: The URL behind `experimental-prometheus-rw=`.
        environment: The environment, with k6's `K6_PROMETHEUS_RW_` variables.

    Raises:
        UsageError: A setting is wrong, or a package is not installed.
    """
    settings = Variables(environment, "K6_PROMETHEUS_RW_", {"SERVER_URL": argument})
    need("cramjam", _NAME, "prometheus")
    if settings.text("SIGV4_REGION") or settings.text("SIGV4_ACCESS_KEY"):
        settings.fail("SIGV4_REGION", "asks for AWS SigV4, which jsrunner does not sign")
    url = settings.text("SERVER_URL", "http://localhost:9090/api/v1/write")
    if not url.startswith(("http://", "https://")):
        settings.fail("SERVER_URL", "is not a URL")
    native = settings.boolean("TREND_AS_NATIVE_HISTOGRAM")
    stats, labels = _stats(settings), _labels(settings)
    stale = settings.boolean("STALE_MARKERS")
    interval = settings.seconds("PUSH_INTERVAL", 5.0)
    headers, tls = _headers(settings, environment), _tls(settings)
    description = f"Prometheus remote write ({url})"

    def distribution(series: MergedSeries) -> Distribution:
        return remote_write.NativeHistogram(_unit(series)) if native else TrendSink()

    def make(system_tags: Sequence[str]) -> PrometheusOutput:
        output = PrometheusOutput(
            description, interval, distribution,
            poster=Poster(headers=headers, context=tls), url=url,
            stats=stats, labels=labels, stale=stale,
        )  # fmt: skip
        output.begin()
        return output

    return OutputConfig(description, make)


def _stats(settings: Variables) -> dict[str, str]:
    """Return the suffixes by the trends' statistics: `p999` for `p(99.9)`."""
    stats = {}
    for stat in settings.words("TREND_STATS", "p(99)"):
        suffix = stat
        if stat.startswith("p(") and stat.endswith(")"):
            suffix = "p" + stat[2:-1].replace(".", "")
        if stat not in _STATS and not _is_percentile(stat):
            settings.fail("TREND_STATS", f"has '{stat}', which is no statistic of a trend")
        stats[stat] = suffix
    return stats


def _is_percentile(stat: str) -> bool:
    try:
        return stat[:2] == "p(" and stat[-1:] == ")" and 0 <= float(stat[2:-1]) <= 100
    except ValueError:
        return False


def _labels(settings: Variables) -> dict[str, str]:
    """Parse the static labels, `key=value,key=value`, without empty ones and the series' name."""
    labels = {}
    for pair in settings.words("LABELS"):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals:
            settings.fail("LABELS", f"has '{pair}', which is not <label>=<value>")
        if name and value and name != "__name__":
            labels[name] = value
    return labels


def _headers(settings: Variables, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of requests."""
    prefix = "K6_PROMETHEUS_RW_HEADERS_"
    headers = {
        name[len(prefix) :]: value for name, value in environment.items() if name.startswith(prefix)
    }
    for pair in settings.words("HTTP_HEADERS"):
        name, colon, value = pair.partition(":")
        if not colon or ":" in value:
            settings.fail("HTTP_HEADERS", f"has '{pair}', which is not <header key>:<value>")
        headers[name.strip()] = value.strip()
    if user := settings.text("USERNAME"):
        headers["Authorization"] = basic(user, settings.text("PASSWORD"))
    if token := settings.text("BEARER_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    return {
        "User-Agent": "jsrunner",
        **headers,
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }


def _tls(settings: Variables) -> ssl.SSLContext:
    """Return the settings of TLS."""
    tls = context(insecure=settings.boolean("INSECURE_SKIP_TLS_VERIFY"))
    minimum = settings.text("TLS_MINIMUM_VERSION")
    if minimum not in ("", "1.2", "1.3"):
        settings.fail("TLS_MINIMUM_VERSION", "is neither 1.2 nor 1.3")
    tls.minimum_version = ssl.TLSVersion.TLSv1_2 if minimum == "1.2" else ssl.TLSVersion.TLSv1_3
    certificate, key = settings.text("CLIENT_CERTIFICATE"), settings.text("CLIENT_CERTIFICATE_KEY")
    if certificate and key:
        try:
            tls.load_cert_chain(certificate, key)
        except OSError as error:
            raise UsageError(
                f"could not create the '{_NAME}' output: failed to load the TLS certificate: {error}"
            ) from None
    return tls
