"""Live orders: whatever the exchange does, each is sent once, and the books say what it says."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.reconciling import Reconciler
from domain.errors import NotSent, VenueUnavailable
from domain.journal import FillEntry, OrderEntry, TradeEntry
from domain.ports import OrderHabits
from domain.state import Reconfigure
from tests.support.bots import LIVE, Bench, BotUnderTest, live_bot, raw_config, until
from tests.support.exchange import held
from workflows.command import OrderFound


def statuses(bench: Bench, bot: BotUnderTest) -> list[str]:
    return [entry.status for entry in bench.journal.payloads(bot.bot_id, OrderEntry)]


async def test_a_live_bot_trades_at_the_exchange_and_books_its_fills(bench: Bench) -> None:
    bot = await live_bot(bench)
    bench.market.dip()
    await bot.holds()
    bench.market.crash()
    await bot.closed()
    buy, sell = (bench.exchange.orders[name] for name in bench.exchange.accepted)
    assert (buy.side, sell.side, sell.quantity) == ("buy", "sell", buy.quantity)
    await until(lambda: bool(bench.journal.payloads(bot.bot_id, TradeEntry)))
    booked = [entry.fill for entry in bench.journal.payloads(bot.bot_id, FillEntry)]
    assert booked == [*buy.report.fills, *sell.report.fills]
    (trade,) = bench.journal.payloads(bot.bot_id, TradeEntry)
    assert trade.trade_type == "live"
    assert bench.broker.submitted == []


async def test_an_order_whose_answer_was_lost_is_found_and_not_sent_again(bench: Bench) -> None:
    bot = await live_bot(bench)
    bench.exchange.lose = 1
    bench.market.dip()
    await bot.holds()
    assert len(bench.exchange.accepted) == 1
    assert len(bench.exchange.windows) == 1


async def test_an_order_that_never_arrived_is_sent_again_under_the_same_id_once_it_is_surely_absent(
    bench: Bench,
) -> None:
    bot = await live_bot(bench)
    bench.exchange.swallow = 2
    bench.market.dip()
    await bot.holds()
    first, second, third = bench.exchange.windows
    assert min(second.opened - first.opened, third.opened - second.opened) > 0.3  # what makes a request too late
    assert len(bench.exchange.accepted) == 1
    await until(lambda: statuses(bench, bot) == ["pending", "filled"])


async def test_partial_fills_are_booked_as_they_come_and_each_once(bench: Bench) -> None:
    bot = await live_bot(bench)
    bench.exchange.fill = Decimal("0.4")
    bench.market.dip()
    await bot.comes(lambda status: status.position.quantity is not None)
    (name,) = bench.exchange.accepted
    part = bench.exchange.orders[name].report.filled_quantity
    assert (await bot.status()).position.quantity == part
    bench.exchange.complete()
    await bot.comes(lambda status: status.position.quantity == bench.exchange.orders[name].quantity)
    await until(lambda: statuses(bench, bot) == ["pending", "partially_filled", "filled"])
    assert len(bench.journal.payloads(bot.bot_id, FillEntry)) == 2


async def test_an_entry_that_has_not_left_is_given_up(bench: Bench) -> None:
    bot = await live_bot(bench)
    bench.exchange.refused = NotSent("the breaker is open")
    bench.market.dip()
    await until(lambda: "cancelled" in statuses(bench, bot))
    assert bench.exchange.accepted == []
    assert (await bot.status()).position.quantity is None


async def test_an_exit_sells_what_somebody_has_left_of_it_and_has_a_person_explain_the_rest(bench: Bench) -> None:
    bot = await live_bot(bench)
    bench.market.dip()
    await bot.holds()
    bought = bench.exchange.orders[bench.exchange.accepted[0]].quantity
    bench.exchange.there = Decimal(2)
    bench.market.crash()
    status = await bot.reaches("error")
    assert [bench.exchange.orders[name].quantity for name in bench.exchange.accepted] == [bought, 2]
    assert (status.position.quantity, status.difference) == (bought - 2, None)
    # The second attempt in a row finds the same.
    status = await bot.comes(lambda status: status.difference is not None)
    assert status.difference == f"the account can sell 0.00000 BTC, the books of this bot {bought - 2:f}"
    await until(lambda: [notice.kind for notice in bench.notifier.told].count("difference") == 1)
    # What was taken away comes back: nothing but time is needed.
    bench.exchange.there = Decimal(100)
    await bot.closed()
    assert [bench.exchange.orders[name].quantity for name in bench.exchange.accepted] == [bought, 2, bought - 2]


async def test_what_comes_back_a_moment_later_is_no_difference(bench: Bench) -> None:
    """As when a venue unlocks late what a cancelled stop would have sold."""
    bot = await live_bot(bench)
    bench.market.dip()
    await bot.holds()
    bench.exchange.there = Decimal(0)
    bench.market.crash()
    await bot.reaches("error")
    bench.exchange.there = Decimal(100)
    assert (await bot.closed()).difference is None


async def test_an_exit_that_has_not_left_is_tried_again_until_it_is_through(bench: Bench) -> None:
    bot = await live_bot(bench)
    bench.market.dip()
    await bot.holds()
    bench.exchange.refused = NotSent("the breaker is open")
    bench.market.crash()
    await bot.reaches("error")
    bench.exchange.refused = None
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))
    await bot.closed()
    assert [bench.exchange.orders[name].side for name in bench.exchange.accepted] == ["buy", "sell"]


async def unknown_order(bench: Bench) -> BotUnderTest:
    """Return a bot one of whose orders may have arrived or not, at an exchange that finds no order by its id."""
    bench.exchange.habit = OrderHabits(finds=False, late_after=None)
    bot = await live_bot(bench)
    bench.exchange.swallow = 1
    bench.market.dip()
    await bot.reaches("error")
    return bot


@pytest.fixture
def brief_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.adopting._WARY", timedelta(0))
    monkeypatch.setattr("activities.sending._EVIDENCE_SECONDS", 0.2)


@pytest.mark.usefixtures("brief_evidence")
async def test_an_order_without_evidence_is_never_sent_again_and_a_person_is_told(bench: Bench) -> None:
    bot = await unknown_order(bench)
    status = await bot.status()
    assert status.unknown_order is not None
    assert len(bench.exchange.windows) == 1
    (notice,) = [each for each in bench.notifier.told if each.kind == "order_unknown"]
    assert f"bots resolve {bot.bot_id}" in notice.text
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await bot.handle.execute_update("open_position")
    assert "is unknown: a person has to resolve it" in str(refusal.value.cause)


@pytest.mark.usefixtures("brief_evidence")
async def test_a_person_says_that_an_unknown_order_was_filled(bench: Bench) -> None:
    bot = await unknown_order(bench)
    found = OrderFound(quantity=Decimal("0.5"), price=Decimal(90), fee=Decimal("0.045"))
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await bot.handle.execute_update("resolve_order", found.model_copy(update={"quantity": Decimal(10**6)}))
    assert "at most" in str(refusal.value.cause)
    await bot.handle.execute_update("resolve_order", found)
    await bot.reaches("running")
    position = (await bot.status()).position
    assert (position.quantity, position.average_price) == (Decimal("0.5"), Decimal(90))


@pytest.mark.usefixtures("brief_evidence")
async def test_a_person_says_that_an_unknown_order_is_absent(bench: Bench) -> None:
    bot = await unknown_order(bench)
    await bot.handle.execute_update("resolve_order", OrderFound(quantity=Decimal(0)))
    await bot.reaches("running")
    status = await bot.status()
    assert (status.position.quantity, status.unknown_order) == (None, None)
    await until(lambda: statuses(bench, bot)[-1] == "cancelled")


async def test_nothing_is_unknown_of_a_bot_that_knows(bench: Bench) -> None:
    bot = await live_bot(bench)
    with pytest.raises(WorkflowUpdateFailedError):
        await bot.handle.execute_update("resolve_order", OrderFound(quantity=Decimal(0)))


async def test_keys_that_may_not_trade_are_refused_with_the_configuration(bench: Bench) -> None:
    bench.exchange.may_trade = False
    bot = await bench.start(**LIVE)
    status = await bot.reaches("error")
    assert "lets the keys 'main' read only" in " ".join(status.problems)


async def test_a_bot_waits_for_a_venue_that_does_not_tell_its_orders_and_can_be_stopped(bench: Bench) -> None:
    bench.exchange.blind = VenueUnavailable("maintenance")
    bot = await bench.start(**LIVE)
    await until(lambda: bench.accounts.asked > 0)
    await asyncio.sleep(0)
    await bot.handle.signal("stop")
    assert await bot.ends() == "stopped, flat, after 0 trades"


async def test_books_that_differ_from_the_venue_stop_purchases_once_that_is_certain(idle_bench: Bench) -> None:
    bench = idle_bench
    bench.reconciler = Reconciler(bench.accounts, first_seconds=0.1, every_seconds=0.1)
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await live_bot(bench)
        bench.market.dip()
        await bot.holds()
        asked = bench.accounts.asked
        bench.exchange.balances = {}
        status = await bot.comes(lambda status: status.difference is not None)
        assert "holds 0 BTC" in (status.difference or "")
        assert bench.accounts.asked > asked  # a forgotten order would have explained it
        await until(lambda: [each.kind for each in bench.notifier.told].count("difference") == 1)
        bench.market.crash()
        await bot.closed()  # exits go on
        with pytest.raises(WorkflowUpdateFailedError) as refusal:
            await bot.handle.execute_update("open_position")
        assert "books and venue differ" in str(refusal.value.cause)


async def test_ten_bots_with_a_signal_on_one_candle_spend_no_more_than_their_account_holds(bench: Bench) -> None:
    """Each asks for 1,000 and buys for half of it; the account holds 5,500."""
    bench.exchange.balances = {"USDT": held(5_500)}
    bots = [bench.add(f"share{n}", **LIVE) for n in range(10)]
    await asyncio.gather(*(bench.fleet.sync(bot.row) for bot in bots))
    for bot in bots[:5]:
        await bot.reaches("running")
    for bot in bots[5:]:
        status = await bot.reaches("error")
        assert "cannot be allotted: account main holds 5500" in " ".join(status.problems)
    bench.market.dip()
    for bot in bots[:5]:
        await bot.holds()
    assert len(bench.exchange.accepted) == 5


async def test_a_position_on_paper_keeps_a_bot_from_going_live_until_it_is_closed(bench: Bench) -> None:
    bot = await bench.start()
    await bot.reaches("running")
    bench.market.dip()
    await bot.holds()
    await bot.edit(config=raw_config(bot.bot_id, **LIVE))
    status = await bot.comes(lambda status: status.rejected_version == 2)
    assert "what is held is on paper, so in account main on binance must wait" in status.problems[0]
    bench.market.crash()
    await bot.closed()
    assert bench.exchange.accepted == []


async def test_a_bot_that_goes_live_begins_a_book_of_its_own_and_leaves_its_paper_dust(bench: Bench) -> None:
    bot = await bench.start(broker__cash=700)
    await bot.reaches("running")
    bench.market.dip()
    await bot.holds()
    bench.market.crash()
    await bot.closed()
    assert (await bot.status()).position.dust > 0
    await bot.edit(config=raw_config(bot.bot_id, **LIVE, broker__cash=700))
    status = await bot.comes(lambda status: status.version == 2)
    assert (status.position.cash, status.position.dust, status.trades) == (Decimal(700), Decimal(0), 0)
    await bot.handle.execute_update("open_position")
    assert len(bench.exchange.accepted) == 1
