"""Round trips with Locust: each user opens a WebSocket and sends a message when the last one has come back.

Locust has no WebSocket client. This one is websocket-client, on the sockets that Locust has patched with gevent; each round
trip is an event for Locust's statistics, as its documents ask for.
"""

import os
import time

import gevent
import websocket
from locust import User, task

ROUNDS = int(os.environ["ROUNDS"])
USERS = int(os.environ["USERS"])
finished = []


class Echo(User):
    @task
    def talk(self):
        connection = websocket.create_connection(os.environ["WS_URL"] + "/echo")
        for _ in range(ROUNDS):
            start = time.perf_counter()
            connection.send("x" * 64)
            answer = connection.recv()
            self.environment.events.request.fire(
                request_type="WS", name="echo", exception=None, context={},
                response_time=(time.perf_counter() - start) * 1000, response_length=len(answer))
        connection.close()
        finished.append(self)
        if len(finished) == USERS:
            gevent.spawn(self.environment.runner.quit)  # not here: quit ends this greenlet
        while True:
            time.sleep(3600)
