"""A door that fits wait at until a test lets them in, in whatever process they are: those of the stub codec, and others
where a test makes them call `wait_at_the_door`.

So a test knows that a fit is under way, and that it stays so, however fast or busy the machine is.
"""

import os
import socket

HOST, VARIABLE = "127.0.0.1", "STUB_DOOR"
PATIENCE_SECONDS = 300  # only a test that has failed already waits so long


class Door:
    """The test's side. Fits that begin while it is open, or after it, do not wait."""

    def __init__(self) -> None:
        self._socket = socket.create_server((HOST, 0))
        self._socket.settimeout(PATIENCE_SECONDS)
        self._visitors: list[socket.socket] = []
        self.address = str(self._socket.getsockname()[1])

    def knock(self) -> int:
        """Waits until another fit is at the door, where it stays; the number of its process."""
        visitor, _ = self._socket.accept()
        self._visitors.append(visitor)
        return int(visitor.makefile().readline())

    def let_in(self, count: int) -> None:
        """The next so many fits."""
        for _ in range(count):
            self.knock()
            self._visitors.pop().close()

    def open(self) -> None:
        """Lets in all that wait and all that come."""
        self._socket.close()
        while self._visitors:
            self._visitors.pop().close()


def wait_at_the_door() -> None:
    """The fit's side."""
    address = os.environ.get(VARIABLE)
    if address is None:
        return
    try:
        with socket.create_connection((HOST, int(address))) as visitor:
            visitor.sendall(f"{os.getpid()}\n".encode())
            visitor.recv(1)  # ends when the door lets go
    except OSError:  # it is open
        pass
