import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from activities.liveness import LivenessBoard, flush_forever, flush_once
from domain.errors import StoreUnavailable
from domain.ports import Liveness
from domain.positions import Book
from domain.watch import Sighting, WatchRequest
from tests.activities.stage import held, request
from tests.domain.builders import dec
from tests.support.fakes import FakeLiveness

NOW = datetime(2026, 1, 2, tzinfo=UTC)
CANDLE = 1_700_000_040_000


def board() -> LivenessBoard:
    return LivenessBoard("1@host", now=lambda: NOW)


def watched(bot_id: str, book: Book | None = None) -> WatchRequest:
    return request(book, bot_id=bot_id)


async def test_each_watch_gives_one_sign_with_what_it_saw_last() -> None:
    signs, store = board(), FakeLiveness()
    flat, holding = watched("flat"), watched("holding", held(3, qty_open=dec(2)))
    signs.post(flat, Sighting())
    signs.post(holding, Sighting(price=dec(50)))
    signs.post(holding, Sighting(price=dec(60), candle_time=CANDLE, stale=True))
    await flush_once(signs, store)
    assert store.signs == [
        Liveness("flat", NOW, balance=dec(1000), price=None, candle_time=None, degraded=None),
        Liveness("holding", NOW, dec(1020), dec(60), CANDLE, "market data is stale"),
    ]
    assert (len(signs), signs.stale) == (2, 1)


async def test_a_venue_that_cannot_be_read_is_named_rather_than_its_stale_data() -> None:
    signs, bot = board(), watched("bot")
    signs.post(bot, Sighting(stale=True), degraded="binance does not answer")
    assert [sign.degraded for sign in signs.signs()] == ["binance does not answer"]
    signs.post(bot, Sighting())
    assert [sign.degraded for sign in signs.signs()] == [None]


async def test_a_watch_that_has_ended_gives_no_sign() -> None:
    signs, old = board(), watched("bot")
    signs.post(old, Sighting())
    signs.remove(old)
    signs.remove(old)
    assert signs.signs() == []


async def test_the_end_of_a_zombie_does_not_silence_the_watch_that_took_its_place() -> None:
    signs, zombie, newer = board(), watched("bot"), watched("bot")
    signs.post(zombie, Sighting())
    signs.post(newer, Sighting(price=dec(7)))
    signs.remove(zombie)
    assert [sign.price for sign in signs.signs()] == [dec(7)]


async def test_with_nothing_to_say_the_database_is_left_alone() -> None:
    class Untouched(FakeLiveness):
        async def flush(self, worker: str, signs: Sequence[Liveness]) -> None:
            raise AssertionError("nothing was to be written")

    await flush_once(board(), Untouched())


async def test_whatever_becomes_of_one_flush_the_next_one_comes() -> None:
    class Moody(FakeLiveness):
        troubles: list[Exception] = [StoreUnavailable("away"), ValueError("a balance that is none")]  # noqa: RUF012

        async def flush(self, worker: str, signs: Sequence[Liveness]) -> None:
            if self.troubles:
                raise self.troubles.pop()
            self.signs = list(signs)
            done.set()

    signs, done = board(), asyncio.Event()
    signs.post(watched("bot"), Sighting())
    flushing = asyncio.create_task(flush_forever(signs, Moody(), seconds=0.001))
    await asyncio.wait_for(done.wait(), 5)
    flushing.cancel()
    await asyncio.gather(flushing, return_exceptions=True)
    assert flushing.cancelled()
    assert signs.lost_flushes == 2
