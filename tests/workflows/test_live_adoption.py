"""Histories that go back: a bot finds its own orders at the venue before it sends anything."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.accounts import VenueOrder
from domain.errors import VenueUnavailable
from domain.journal import ForgottenEntry, OrderEntry, TradeEntry
from domain.orders import OrderReport, OrderRequest, Side, client_order_id, recognised
from domain.state import Reconfigure
from tests.support.bots import Bench, BotUnderTest, live_bot, until
from tests.workflows.resets import order_at_venue, put, reset, workflow_tasks


@pytest.fixture(autouse=True)
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.adopting._WARY", timedelta(seconds=1))


def first_order(bot: BotUnderTest, side: Side) -> VenueOrder:
    """Return what the bot's first order would look like at the venue: half a coin at 100."""
    return order_at_venue(bot, 1, side)


async def forget(bench: Bench, bot: BotUnderTest) -> None:
    """End the bot's workflow by force and take back what its row knows of its life."""
    await bot.handle.terminate()
    bench.journal.rows[bot.bot_id] = bot.row.model_copy(update={"carried": None, "observed_version": None})


async def reset_to_the_beginning(bot: BotUnderTest) -> None:
    """Reset the bot's history to its first workflow task, as a person can with one click."""
    await reset(bot, (await workflow_tasks(bot))[0])


def test_the_bots_own_orders_are_recognised_by_their_ids() -> None:
    ids = {client_order_id("mine", 7, 0), client_order_id("mine", 7, 2), client_order_id("other", 7, 0)}
    assert set(recognised("mine", ids, after=6).values()) == {(7, 0), (7, 2)}
    assert recognised("mine", ids, after=8) == {}


def test_the_search_for_ids_ends_with_the_last_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(uid: str, sequence: int, leg: int = 0) -> str:
        made.append(sequence)
        return client_order_id(uid, sequence, leg)

    monkeypatch.setattr("domain.orders.client_order_id", counted)
    # The order before the last known one is in the list of the venue, too: it is no reason to go on.
    ids = {client_order_id("mine", sequence) for sequence in (499, 500, 502)}
    assert set(recognised("mine", ids, after=500).values()) == {(500, 0), (502, 0)}
    assert (made[0], made[-1]) == (480, 502)


async def test_a_bot_that_forgot_its_purchase_finds_it_and_sells_it(bench: Bench) -> None:
    bot = await live_bot(bench)
    bench.market.dip()
    held = (await bot.holds()).quantity
    await forget(bench, bot)
    await bench.fleet.sync(bot.row)
    assert (await bot.holds()).quantity == held
    await until(lambda: "order_adopted" in bench.journal.events(bot.bot_id))
    bench.market.crash()
    await bot.closed()
    sides = [bench.exchange.orders[name].side for name in bench.exchange.accepted]
    assert sides == ["buy", "sell"]


async def test_a_bot_that_forgot_a_whole_round_trip_books_it_once(bench: Bench) -> None:
    bot = await live_bot(bench)
    bench.market.dip()
    await bot.holds()
    bench.market.crash()
    await bot.closed()
    await until(lambda: bool(bench.journal.payloads(bot.bot_id, TradeEntry)))
    cash = (await bot.status()).position.cash
    await forget(bench, bot)
    await bench.fleet.sync(bot.row)
    await bot.closed()
    assert (await bot.status()).position.cash == cash
    first, again = bench.journal.payloads(bot.bot_id, TradeEntry)
    assert (first.trade.position_id, first.trade.net_pnl) == (again.trade.position_id, again.trade.net_pnl)
    assert len(bench.exchange.accepted) == 2


async def test_a_history_that_was_reset_adopts_before_it_trades(bench: Bench) -> None:
    bot = await live_bot(bench)
    bench.market.dip()
    held = (await bot.holds()).quantity
    await reset_to_the_beginning(bot)
    await until(lambda: bench.accounts.asked >= 2)
    await bot.comes(lambda status: status.position.quantity == held)
    assert len(bench.exchange.accepted) == 1
    bench.market.crash()
    await bot.closed()


async def test_a_lost_worker_has_the_venue_asked_again(bench: Bench) -> None:
    bot = await live_bot(bench)
    order = first_order(bot, "buy")
    bench.exchange.orders[order.report.client_order_id] = order
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    assert (await bot.holds()).quantity == Decimal("0.5")
    await until(lambda: [entry.status for entry in bench.journal.payloads(bot.bot_id, OrderEntry)] == ["filled"])


async def test_a_sale_that_does_not_fit_the_books_stops_purchases_until_a_person_explains_it(bench: Bench) -> None:
    bot = await live_bot(bench)
    order = first_order(bot, "sell")
    bench.exchange.orders[order.report.client_order_id] = order
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    status = await bot.comes(lambda status: status.difference is not None)
    assert "0 is open" in (status.difference or "")
    await bot.handle.execute_update("explain_difference")
    await bot.comes(lambda status: status.difference is None)


async def goes_back_with_its_order_under_way(bench: Bench, bot: BotUnderTest, *forgotten: VenueOrder) -> None:
    """Have the bot decide on an order that does not come through, and reset its history to the moment after that.

    Args:
        forgotten: what the venue knows of the life that history has forgotten.
    """
    bench.exchange.hold.clear()
    bench.market.dip()
    await until(lambda: bool(bench.exchange.windows))
    before = len(await workflow_tasks(bot))
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    async with asyncio.timeout(15):
        while len(tasks := await workflow_tasks(bot)) == before:
            await asyncio.sleep(0.03)
    put(bench, *forgotten)
    await reset(bot, tasks[-1])


async def test_an_order_under_way_is_booked_before_those_that_a_forgotten_life_sent_after_it(bench: Bench) -> None:
    bot = await live_bot(bench)
    forgotten = order_at_venue(bot, 1, "buy", "0.5"), order_at_venue(bot, 2, "sell", "0.2")
    await goes_back_with_its_order_under_way(bench, bot, *forgotten)
    status = await bot.comes(lambda status: status.position.quantity == Decimal("0.3"))
    assert status.difference is None
    assert bench.exchange.accepted == []


async def test_an_order_under_way_never_was_sent_if_the_venue_knows_only_a_later_one(bench: Bench) -> None:
    bot = await live_bot(bench)
    await goes_back_with_its_order_under_way(bench, bot, order_at_venue(bot, 2, "buy", "0.3"))
    assert (await bot.holds()).quantity == Decimal("0.3")
    assert bench.exchange.accepted == []
    await until(lambda: [entry.status for entry in orders_of(bench, bot, 1)][-1:] == ["cancelled"])


async def test_an_order_that_arrives_after_the_venue_was_asked_is_found_although_nothing_else_is_sent(
    bench: Bench,
) -> None:
    bot = await live_bot(bench)
    asked = bench.accounts.asked
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    await until(lambda: bench.accounts.asked > asked)
    put(bench, order_at_venue(bot, 1, "buy"))
    assert (await bot.holds()).quantity == Decimal("0.5")


async def test_once_nothing_can_arrive_any_more_the_journal_ends_what_was_never_sent(bench: Bench) -> None:
    bot = await live_bot(bench)
    await until(lambda: bool(bench.journal.payloads(bot.bot_id, ForgottenEntry)))
    assert bench.accounts.asked == 2


def orders_of(bench: Bench, bot: BotUnderTest, sequence: int) -> list[OrderEntry]:
    entries = bench.journal.payloads(bot.bot_id, OrderEntry)
    return [entry for entry in entries if entry.intent.sequence == sequence]


async def test_an_order_that_never_reached_the_venue_does_not_narrow_the_search_for_forgotten_ones(
    bench: Bench,
) -> None:
    bot = await live_bot(bench)
    bench.market.dip()
    await bot.holds()
    bought = bench.exchange.orders[bench.exchange.accepted[0]]
    await until(lambda: bench.accounts.asked >= 2)  # nothing can be late any more
    bench.exchange.blind = VenueUnavailable("away")
    bench.market.crash()
    await until(lambda: "order_rejected" in bench.journal.events(bot.bot_id))
    bench.exchange.blind = None
    asked = bench.accounts.asked
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    await until(lambda: bench.accounts.asked > asked)
    assert bench.accounts.since == bought.created_at - 60_000


@pytest.mark.parametrize("kind", ["market", "limit"])
async def test_an_order_that_was_found_is_never_taken_for_one_that_did_not_leave(idle_bench: Bench, kind: str) -> None:
    """Its answer is lost, its worker dies, the venue lists it as open, and from then on answers no look-up."""
    bench, exchange = idle_bench, idle_bench.exchange
    exchange.fill, exchange.lose = Decimal(0), 1
    ask = exchange.find

    async def find(request: OrderRequest) -> OrderReport | None:
        if exchange.accepted:
            raise VenueUnavailable("503")
        return await ask(request)

    exchange.find = find  # type: ignore[method-assign]
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await live_bot(bench, trading__entry_order=kind)
        bench.market.dip()
        await until(lambda: len(exchange.accepted) == 1)
    async with bench.worker():
        await until(lambda: "open" in statuses(bot))
        await asyncio.sleep(1)
        exchange.find = ask  # type: ignore[method-assign]
        exchange.complete()
        await bot.holds()
    assert len(exchange.accepted) == 1
    assert "cancelled" not in statuses(bot)


def statuses(bot: BotUnderTest) -> list[str]:
    return [entry.status for entry in bot.journaled(OrderEntry)]
