"""How worker and plugin speak: frames over a socket, a head of JSON and a body of numbers, each with its length.

Nothing is unpickled: what a plugin sends is data, whatever it sends.
"""

import socket
import struct
import time

import numpy as np

from domain.candles import Candles

_LENGTHS = struct.Struct("!II")
_COLUMNS = 6
_BYTES = 8
ROW_BYTES = _COLUMNS * _BYTES


class WireBroken(Exception):
    """What came is no frame, or is longer than anything that was asked for."""


class Wire:
    """One end of a connection. Deadlines are of `time.monotonic()`; None waits for ever."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, head: bytes, body: bytes = b"", *, deadline: float | None = None) -> None:
        """Send a frame.

        Raises:
            TimeoutError: the other side has not taken it in time.
            OSError: the other side is gone.
        """
        self._end.settimeout(_left(deadline))
        self._end.sendall(b"".join((_LENGTHS.pack(len(head), len(body)), head, body)))

    def receive(self, *, limit: int, deadline: float | None = None) -> tuple[bytes, bytearray]:
        """Return the head and the body of the next frame, of no more than `limit` bytes together.

        Raises:
            TimeoutError: it has not come in time.
            EOFError, OSError: the other side is gone.
            WireBroken: it is longer.
        """
        head, body = _LENGTHS.unpack(self._read(_LENGTHS.size, deadline))
        if head + body > limit:
            raise WireBroken(f"{head + body} bytes came where {limit} are the most")
        return bytes(self._read(head, deadline)), self._read(body, deadline)

    def close(self) -> None:
        """Hang up."""
        self._end.close()

    def _read(self, count: int, deadline: float | None) -> bytearray:
        buffer = bytearray(count)
        view = memoryview(buffer)
        while view:
            self._end.settimeout(_left(deadline))
            got = self._end.recv_into(view)
            if not got:
                raise EOFError("the other side has hung up")
            view = view[got:]
        return buffer


def packed(candles: Candles) -> bytes:
    """Return candles as the body of a frame: one column after the other."""
    floats = (candles.open, candles.high, candles.low, candles.close, candles.volume)
    columns = [np.asarray(candles.open_time, dtype=np.int64), *(np.asarray(c, dtype=np.float64) for c in floats)]
    return b"".join([column.tobytes() for column in columns])


def unpacked(body: bytearray) -> Candles:
    """Return the candles that `packed` has written, as views of the body."""
    count = len(body) // ROW_BYTES
    times = np.frombuffer(body, np.int64, count)
    floats = np.frombuffer(body, np.float64, count * (_COLUMNS - 1), count * _BYTES).reshape(_COLUMNS - 1, count)
    return Candles(times, *floats)


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
