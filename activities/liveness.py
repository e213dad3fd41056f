"""Signs of life: each process writes those of all its bots in one statement, every so often."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from domain.errors import StoreUnavailable
from domain.ports import Liveness, LivenessStore
from domain.watch import Sighting, WatchRequest

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Watch:
    request: WatchRequest
    sighting: Sighting
    degraded: str | None


class LivenessBoard:
    """What every watch of this process saw last."""

    def __init__(self, worker: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Keep the board of one process.

        Args:
            worker: identity of the process, as the row's `worker` shows it.
        """
        self.worker = worker
        self._now = now
        self.lost_flushes = 0
        self._watches: dict[str, _Watch] = {}

    def __len__(self) -> int:
        return len(self._watches)

    def post(self, request: WatchRequest, sighting: Sighting, *, degraded: str | None = None) -> None:
        """Note what a watch sees.

        Args:
            degraded: why the venue cannot be read now; None while it can.
        """
        self._watches[request.bot_id] = _Watch(request, sighting, degraded)

    def remove(self, request: WatchRequest) -> None:
        """Forget a watch that has ended, unless a newer one of the same bot has taken its place."""
        current = self._watches.get(request.bot_id)
        if current is not None and current.request is request:
            del self._watches[request.bot_id]

    def signs(self) -> list[Liveness]:
        """Return a sign of life of every watch."""
        now = self._now()
        return [_sign(watch, now) for watch in self._watches.values()]

    @property
    def stale(self) -> int:
        """How many watches see a venue that has fallen silent."""
        return sum(watch.sighting.stale for watch in self._watches.values())


async def flush_forever(board: LivenessBoard, store: LivenessStore, seconds: float) -> None:
    """Write the board every `seconds`, until cancelled. A database that is away costs a flush, nothing else."""
    while True:
        await asyncio.sleep(seconds)
        await flush_once(board, store)


async def flush_once(board: LivenessBoard, store: LivenessStore) -> None:
    """Write the board now."""
    signs = board.signs()
    if not signs:
        return
    try:
        await store.flush(board.worker, signs)
    except StoreUnavailable as error:  # told by whoever watches the database
        board.lost_flushes += 1
        log.debug("liveness not written", bots=len(signs), reason=str(error))
    except Exception:  # one sign that the database refuses must not end the signs of all bots
        board.lost_flushes += 1
        log.exception("liveness not written", bots=len(signs))


def _sign(watch: _Watch, now: datetime) -> Liveness:
    request, sighting = watch.request, watch.sighting
    return Liveness(
        bot_id=request.bot_id,
        seen_at=now,
        balance=request.book.equity(sighting.price),
        price=sighting.price,
        candle_time=sighting.candle_time,
        degraded=watch.degraded or ("market data is stale" if sighting.stale else None),
    )
