"""The time of the simulated exchange, as this process sees it."""

import asyncio
import json
import time
import urllib.request
from datetime import UTC, datetime


class VenueClock:
    """Runs as fast as ours, from another moment on."""

    def __init__(self, offset: float) -> None:
        """Be so many seconds ahead of our monotonic clock."""
        self._offset = offset

    @classmethod
    async def read(cls, exchange_url: str) -> "VenueClock":
        """Ask the exchange for its time."""
        now_ms = await asyncio.to_thread(_now_ms, exchange_url)
        return cls(now_ms / 1_000 - time.monotonic())

    def now(self) -> datetime:
        """Return the exchange's time."""
        return datetime.fromtimestamp(self._offset + time.monotonic(), tz=UTC)


def _now_ms(exchange_url: str) -> int:
    # Not through a proxy of the environment: it is this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{exchange_url}/sim/clock", timeout=5) as answer:
        return int(json.load(answer)["now_ms"])
