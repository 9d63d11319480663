from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsrunner.coordinator.remote.link import check_address, check_certificates, estimate_lead
from jsrunner.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "tcp://[::1]:1", "tcp://localhost:1", "tls://192.0.2.1:8786"]
)
def test_loopback_and_tls_are_accepted(address: str) -> None:
    check_address(address, is_insecure=False)


@pytest.mark.parametrize("address", ["tcp://192.0.2.1:8786", "ws://192.0.2.1:1", "tcp://scheduler:1"])
def test_plain_connections_to_other_machines_are_accepted_on_demand_only(address: str) -> None:
    check_address(address, is_insecure=True)
    with pytest.raises(UsageError, match="has no TLS"):
        check_address(address, is_insecure=False)


def test_the_lead_of_a_clock_is_that_of_the_quickest_exchange() -> None:
    """The other clock is 100 s ahead; two answers were slow to come."""
    exchanges = [(0.0, 100.1, 1.0), (1.0, 101.1, 1.2), (2.0, 102.9, 3.0)]
    assert estimate_lead(exchanges) == pytest.approx(100.0)


def test_certificates_that_are_missing_are_named(tmp_path: Path) -> None:
    import dask.config

    address, present, absent = "tls://192.0.2.1:8786", tmp_path / "present", tmp_path / "absent"
    present.touch()
    check_certificates("tcp://127.0.0.1:8786")
    with (
        dask.config.set({"distributed.comm.tls": {"ca-file": None}}),
        pytest.raises(UsageError, match=r"--dask .* DASK_DISTRIBUTED__COMM__TLS__CA_FILE "),
    ):
        check_certificates(address)
    files = {"ca-file": str(present), "client": {"cert": str(absent), "key": None}}
    with dask.config.set({"distributed.comm.tls": files}):
        with pytest.raises(UsageError, match=r"TLS__CLIENT__CERT=.*absent is no file"):
            check_certificates(address)
        absent.touch()
        check_certificates(address)
