"""The server's TLS certificate, which is made for this machine's names when the server starts."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from jsrunner.errors import JsrunnerError

if TYPE_CHECKING:
    from collections.abc import Mapping


def available() -> bool:
    """Return True if a certificate can be made: the package trustme is installed."""
    from importlib.util import find_spec

    return find_spec("trustme") is not None


def make(host: str, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for a host and the loopback names.

    Args:
        host: The host.
        folder: A folder for the file of the certificate authority.

    Returns:
        The server's TLS context, and the file of the authority that clients have to trust.

    Raises:
        JsrunnerError: The package trustme is not installed.
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
    """Return the variables by which a process trusts another certificate authority, too.

    Args:
        ca_file: The file of the authority. A file of all trusted authorities is written next to it.
        environment: The environment of the process, whose authorities stay trusted.

    Returns:
        SSL_CERT_FILE, and SSL_CERT_DIR if there is one.
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
