"""The bundled server: WebSocket and gRPC endpoints on this machine to try scripts on.

Built on the `websockets` package; nothing of a run imports it. `jsrunner serve` runs it by itself,
`jsrunner run --with-server` in a child process (see `process`).
"""
