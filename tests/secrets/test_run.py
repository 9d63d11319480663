"""A whole run with secrets: several workers, threads, one log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from waiting import DEADLINE

ROOT = Path(__file__).parents[2]

SCRIPT = """
import secrets from 'k6/secrets';
import { sleep } from 'k6';
export const options = { vus: 4, iterations: 4 };
export const setup = () => secrets.get('plain');
export default async function (data) {
  const both = [data, await secrets.source('url').get(`k${__VU}`)];
  if (both.join() !== `in setup,from the server: /k${__VU}`) throw new Error(both.join());
  console.log('got', both, await secrets.source('url').get('missing').catch(String));
}
"""


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"from the server: {self.path}".encode()
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


def test_secrets_of_all_workers_are_kept_out_of_the_log(tmp_path: Path) -> None:
    script = tmp_path / "script.js"
    script.write_text(SCRIPT)
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        done = subprocess.run(
            [sys.executable, "-m", "jsrunner", "run", "--quiet", "--log-format=json", "--workers=2",
             "--no-summary", "--secret-source=mock=default,plain=in setup",
             f"--secret-source=url=urlTemplate=http://127.0.0.1:{server.server_port}/{{key}}",
             str(script)],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=DEADLINE,
            check=False,
        )  # fmt: skip
        server.shutdown()
        thread.join()
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line)["msg"] for line in done.stderr.splitlines()]
    both = '[ "***SECRET_REDACTED***", "***SECRET_REDACTED***" ]'
    missing = "status code 404: failed to get secret"
    assert lines == [f"got {both} {missing}"] * 4
