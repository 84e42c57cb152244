"""A TCP proxy in front of a server that breaks connections when it is told to."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit


class Proxy:
    """Passes on what comes and goes, until it is told to cut replies off or to break connections."""

    def __init__(self, server: str) -> None:
        address = urlsplit(server)
        assert address.hostname and address.port
        self._server = (address.hostname, address.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._to_cut = 0
        self._lock = threading.Lock()
        self.cut = 0
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def cut_replies(self, count: int) -> None:
        """Close the connection instead of passing the next replies on: the server has done its work."""
        self._to_cut = count

    def break_connections(self) -> None:
        """Close every connection as it is."""
        with self._lock:
            closing, self._open = self._open, []
        for end in closing:
            _close(end)

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _close(self._listening)
        self.break_connections()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listening.accept()
                server = socket.create_connection(self._server)
                with self._lock:
                    self._open += [caller, server]
                threading.Thread(target=self._pass, args=(caller, server), daemon=True).start()
                threading.Thread(target=self._pass_replies, args=(server, caller), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while sent := source.recv(65536):
                target.sendall(sent)
        _close(target)

    def _pass_replies(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while sent := source.recv(65536):
                if self._to_cut:
                    self._to_cut -= 1
                    self.cut += 1
                    break
                target.sendall(sent)
        _close(source)
        _close(target)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
