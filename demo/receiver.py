"""A bureau's alert receiver on loopback: alerts of the demonstration are really delivered, and nothing leaves."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """What arrived, by message id; a repeat of an id is counted once, as a bureau's system would."""

    def __init__(self) -> None:
        self.messages: dict[str, Any] = {}
        self.address = ""
        self._lock = threading.Lock()

    def take(self, path: str, body: bytes) -> None:
        """Keep one message."""
        try:
            message = json.loads(body)
        except ValueError:
            message = {"body": body.decode("utf-8", "replace")}
        key = str(message.get("message_id") or message.get("id") or len(self.messages))
        with self._lock:
            self.messages[key] = {**message, "path": path}


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen on loopback while the block runs; `address` is where to send."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take the message and say so."""
            length = min(int(self.headers.get("Content-Length") or 0), 1 << 20)
            receiver.take(self.path, self.rfile.read(length))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the demonstration's output is for what it found."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
