"""Another user's program at a port where the embedded AWS was: it says 200 to everything, and keeps what it hears."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

from tests.support.polling import eventually

#: All that a stranger may hear: a nonce, and a digest of it.
QUESTION = re.compile(
    rb"GET /_local_aws/status HTTP/1.1\r\nHost: 127.0.0.1:(\d+)\r\n"
    rb"Authorization: LOCAL-AWS LKIA[A-Z2-7]{16} [0-9a-f]{64} [0-9a-f]{64}\r\n\r\n"
)


def _listener(port: int) -> socket.socket | None:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return None


class Stranger:
    """Listens while the context lasts. heard: what each connection has brought, in order."""

    def __init__(self, port: int = 0, answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") -> None:
        # A killed process may still be letting go of its sockets.
        self._listener = eventually(lambda: _listener(port), f"port {port}")
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.heard: list[bytes] = []
        self._answer = answer
        self._ended, self._connection = False, None
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Stranger:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        with contextlib.suppress(OSError, AttributeError):
            self._connection.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):  # which wakes who waits for one
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listener.close()

    def _listen(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._ended:
                connection.close()
                return
            self.heard.append(b"")
            self._connection = connection
            with connection:
                try:
                    while not self._ended and (data := connection.recv(65536)):
                        self.heard[-1] += data
                        connection.sendall(self._answer)
                except OSError:
                    continue

    def heard_only_questions(self) -> bool:
        return bool(self.heard) and all(QUESTION.fullmatch(each) for each in self.heard)
