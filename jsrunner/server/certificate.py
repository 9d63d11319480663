"""A certificate for this machine's names, made when the server starts."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from jsrunner.errors import JsrunnerError

if TYPE_CHECKING:
    from collections.abc import Mapping


def available() -> bool:
    from importlib.util import find_spec

    return find_spec("trustme") is not None


def make(host: str, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for `host` and the loopback names, and the file of the authority to trust.

    Raises JsrunnerError where trustme is missing.
    """
    try:
        import trustme
    except ImportError:
        raise JsrunnerError(
            "TLS needs the package trustme", hint="pip install 'jsrunner[serve]'"
        ) from None
    authority = trustme.CA()
    names = dict.fromkeys(("localhost", "127.0.0.1", "::1", host))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return context, file


def trusting(ca_file: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables (SSL_CERT_FILE, SSL_CERT_DIR) by which a process trusts the authority besides those
    that it trusts already; the file is written next to `ca_file`.
    """
    file, folder = environment.get("SSL_CERT_FILE"), environment.get("SSL_CERT_DIR")
    if not file and not folder:
        system = ssl.get_default_verify_paths()
        file, folder = system.cafile, system.capath
    bundle = ca_file.with_name("authorities.pem")
    known = Path(file).read_bytes() if file and os.path.isfile(file) else b""
    bundle.write_bytes(ca_file.read_bytes() + known)
    variables = {"SSL_CERT_FILE": str(bundle)}
    if folder:
        variables["SSL_CERT_DIR"] = folder
    return variables
