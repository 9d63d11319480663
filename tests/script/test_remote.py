"""Modules from web servers: a real one with TLS, on this machine."""

from __future__ import annotations

import http.server
import ssl
import threading
from typing import TYPE_CHECKING

import pytest
import trustme

from jsrunner.errors import ScriptError
from jsrunner.transport.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Project


class Site:
    """A server's contents by path (a text, or a status with headers), and the received requests."""

    def __init__(self) -> None:
        self.pages: dict[str, str | tuple[int, dict[str, str]]] = {}
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.url = ""


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def site(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            site.agents.add(self.headers["User-Agent"])
            page = (
                site.pages.get(self.path)
                or site.pages.get(self.path.replace("?_k6=1", ""))
                or (404, {})
            )
            status, headers = (200, {}) if isinstance(page, str) else page
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if isinstance(page, str):
                self.wfile.write(page.encode())

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    site.url = f"https://localhost:{server.server_port}"
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def script(url: str) -> str:
    return f"import {{ x }} from '{url}'; console.log(x); export default function () {{}}"


def test_a_module_and_what_it_imports(project: Project, site: Site) -> None:
    site.pages = {
        "/a/b.js": "import { y } from './c.js'; import { z } from '/d.js'; export const x = `${y}${z}`;",
        "/a/c.js": "exports.y = open === undefined ? 0 : 'common';",
        "/d.js": "export const z = 'js';",
    }
    assert project.init(script(f"{site.url}/a/b.js")) == ["commonjs"]
    assert site.asked == ["/a/b.js?_k6=1", "/a/c.js?_k6=1", "/d.js?_k6=1"]
    assert project.again() == ["commonjs"]
    assert len(site.asked) == 3
    assert all(agent.startswith("jsrunner/") for agent in site.agents)


def test_a_query_is_kept(project: Project, site: Site) -> None:
    site.pages = {"/a.js?v=2&_k6=1": "export const x = 2;"}
    assert project.init(script(f"{site.url}/a.js?v=2")) == ["2"]


def test_redirects_are_followed_and_change_no_names(project: Project, site: Site) -> None:
    site.pages = {
        "/old/a.js": (302, {"Location": "/new/a.js"}),
        "/new/a.js": "import { y } from './b.js'; export const x = y;",
        "/old/b.js": "export const y = 'old';",
    }
    assert project.init(script(f"{site.url}/old/a.js")) == ["old"]


def test_a_server_that_does_not_like_the_question(project: Project, site: Site) -> None:
    site.pages = {"/a.js?_k6=1": (400, {}), "/a.js": "export const x = 1;"}
    assert project.init(script(f"{site.url}/a.js")) == ["1"]
    assert site.asked == ["/a.js?_k6=1", "/a.js"]


@pytest.mark.parametrize(
    ("status", "text"), [(404, "not found: {}"), (500, "wrong status code (500) for: {}")]
)
def test_what_the_server_refuses(project: Project, site: Site, status: int, text: str) -> None:
    url = f"{site.url}/a.js"
    site.pages = {"/a.js": (status, {})}
    with pytest.raises(ScriptError) as caught:
        project.init(script(url))
    assert str(caught.value).endswith(
        f'The moduleSpecifier "{url}" couldn\'t be retrieved from the resolved url "{url}". Error : '
        f'"{text.format(url)}"'
    )


def test_a_server_that_is_not_there(project: Project, site: Site) -> None:
    with pytest.raises(ScriptError, match=r"dial tcp localhost:9: connect: connection refused"):
        project.init(script("https://localhost:9/a.js"))


def test_an_authority_that_nobody_knows(
    project: Project, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ScriptError, match=r"x509: certificate signed by unknown authority"):
        project.init(script(f"{site.url}/a.js"))


def test_a_remote_module_reads_no_files(project: Project, site: Site) -> None:
    site.pages = {"/a.js": f"import y from '{project.url('secret.js')}'; export const x = y;"}
    project.write({"secret.js": "export default 1;"})
    with pytest.raises(
        ScriptError, match=r"origin \(https://localhost:\d+/\) not allowed to load local"
    ):
        project.init(script(f"{site.url}/a.js"))


def test_without_a_network_the_last_run_s_modules_serve(
    project: Project, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages = {"/a.js": "export const x = 'kept';"}
    url = f"{site.url}/a.js"
    assert project.init(script(url)) == ["kept"]
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr(
        "jsrunner.transport.proxy.Proxies.proxy_for", lambda *_, **__: Proxy.parse("http://127.0.0.1:9")
    )
    project.said.clear()
    assert project.init(script(url)) == ["kept"]
    [warning] = project.logged("warning")
    assert warning.startswith(f"{url} could not be fetched (")
    assert warning.endswith("the module of an earlier run is used")


def test_where_jslib_cannot_be_reached_ours_serves(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "jsrunner.transport.proxy.Proxies.proxy_for", lambda *_, **__: Proxy.parse("http://127.0.0.1:9")
    )
    url = "https://jslib.k6.io/k6-utils/1.4.0/index.js"
    source = f"import {{ randomItem, nope }} from '{url}'; console.log(randomItem([7]));"
    with pytest.raises(ScriptError, match=r'The requested module ".*" does not provide .* "nope"'):
        project.init(f"{source}\nexport default function () {{}}")
    [warning] = project.logged("warning")
    assert warning.endswith("jsrunner's own equivalent is used")
    with pytest.raises(ScriptError, match=r"couldn't be retrieved"):
        project.init(script("https://jslib.k6.io/papaparse/5.1.1/index.js"))
