"""A door to a server on this machine that can be shut and opened again: what is behind it is then away."""

from __future__ import annotations

import contextlib
import socket
from threading import Thread


class Door:
    """Passes every connection to its own port on to another port; shut, it refuses new ones and breaks those it has."""

    def __init__(self, to: int) -> None:
        self.to = to
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def shut(self) -> None:
        for each in [self._listener, *self._open]:
            _end(each)
        self._open.clear()

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                inside, _ = listener.accept()
            except OSError:  # shut
                return
            outside = socket.create_connection(("127.0.0.1", self.to))
            self._open += [inside, outside]
            for one, other in ((inside, outside), (outside, inside)):
                Thread(target=_copy, args=(one, other), daemon=True).start()


def _copy(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):  # one of the two has gone: so does the other
        while data := one.recv(65536):
            other.sendall(data)
    _end(one)
    _end(other)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended already
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
