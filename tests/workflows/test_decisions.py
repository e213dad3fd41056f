"""What the market says, and what becomes of it.

The figures are worked out by hand. 500 USDT at 90.05 (90 and 0.05 % slippage, up to the tick) buy 5.55247 BTC, of
which the fee of 0.1 %, 0.00555247, is taken. 5.54691 of them are sold at 79.96 (80 less 0.05 %) for 443.5309236,
less a fee of 0.44353093 (up to eight decimals).
"""

from decimal import Decimal
from typing import Any

from domain.journal import FillEntry, OrderEntry, PositionEntry, TradeEntry
from domain.state import Reconfigure
from domain.watch import WatchResult
from tests.support.bots import Bench, BotUnderTest, dec, until
from tests.support.fakes import BTC, ScriptedWatch

HELD = Decimal("5.54691753")
DUST = Decimal("0.00000753")
FLAT_CASH = Decimal("943.08746917")


async def running(bench: Bench, **changes: Any) -> BotUnderTest:
    bot = await bench.start(**changes)
    await bot.reaches("running")
    return bot


async def test_a_dip_is_bought_once(bench: Bench) -> None:
    bot = await running(bench)
    bench.market.dip()
    held = await bot.holds()
    assert held.quantity == HELD
    assert held.cash == dec("500.0000765")
    await until(lambda: len(bot.journaled(FillEntry)) == 1)
    fill = bot.journaled(FillEntry)[0].fill
    assert (fill.quantity, fill.price, fill.fee) == (dec("5.55247"), dec("90.05"), dec("0.00555247"))
    bench.market.add(open_=90.0, high=91.0, low=89.0, close=90.0, volume=30.0)
    bench.market.add(open_=90.0, high=91.0, low=89.0, close=90.0, volume=90.0)
    assert (await bot.position()).quantity == HELD
    assert [order.status for order in bot.journaled(OrderEntry)] == ["pending", "filled"]


async def test_the_exit_rule_sells_and_the_books_agree_to_the_last_digit(bench: Bench) -> None:
    bot = await running(bench)
    bench.market.dip()
    await bot.holds()
    bench.market.crash()
    status = await bot.closed()
    assert status.position.cash == FLAT_CASH
    assert status.position.dust == DUST
    assert status.total_pnl == dec("-56.9118527535")
    await until(lambda: bot.journaled(TradeEntry) != [])
    trade = bot.journaled(TradeEntry)[0].trade
    assert trade.exit_reason == "ATRExitMixin"
    assert (trade.size, trade.entry_value, trade.exit_value) == (dec("5.54691"), dec("499.4992455"), dec("443.5309236"))
    assert (trade.gross_pnl, trade.commission) == (dec("-55.9683219"), dec("0.9435308535"))
    await until(lambda: [notice.kind for notice in bench.notifier.told] == ["position_opened", "position_closed"])
    assert bot.journaled(PositionEntry)[-1].closed_at is not None


async def test_a_price_between_candles_at_the_stop_sells(bench: Bench) -> None:
    bot = await running(bench, risk_management__stop_loss_pct=3)
    bench.market.dip()
    await bot.holds()
    bench.market.tick("87.34")  # 3 % below 90.05 is 87.3485
    await bot.closed()
    await until(lambda: bot.journaled(TradeEntry) != [])
    trade = bot.journaled(TradeEntry)[0].trade
    assert (trade.exit_reason, trade.exit_price) == ("stop_loss", dec("87.30"))


async def test_a_price_between_candles_at_the_target_sells(bench: Bench) -> None:
    bot = await running(bench, risk_management__take_profit_pct=6)
    bench.market.dip()
    await bot.holds()
    bench.market.tick("95.46")  # 6 % above 90.05 is 95.453
    await bot.closed()
    await until(lambda: bot.journaled(TradeEntry) != [])
    trade = bot.journaled(TradeEntry)[0].trade
    assert (trade.exit_reason, trade.exit_price) == ("take_profit", dec("95.40"))


async def test_a_paused_bot_buys_nothing_and_still_sells(bench: Bench) -> None:
    bot = await running(bench)
    await bot.handle.signal("pause")
    await bot.reaches("paused")
    bench.market.dip()
    seen = await bot.comes(lambda status: status.status == "paused")
    assert seen.position.quantity is None
    await bot.handle.signal("resume")
    assert (await bot.holds()).quantity == HELD  # the candle is still the newest one
    await bot.handle.signal("pause")
    await bot.reaches("paused")
    bench.market.crash()
    assert (await bot.closed()).status == "paused"


async def test_what_one_order_cannot_sell_is_sold_leg_after_leg(bench: Bench) -> None:
    bench.market.instruments["BTCUSDT"] = BTC.model_copy(update={"max_quantity": dec("2")})
    bot = await running(bench, trading__max_positions=3, trading__position_size=0.3, broker__cash=2000)
    for _ in range(3):
        await bot.handle.execute_update("open_position")
    assert (await bot.position()).quantity == dec("5.994")  # three times 2, less 0.1 %
    await bot.handle.execute_update("close_position")
    assert (await bot.closed()).position.dust == 0
    await until(lambda: bot.journaled(TradeEntry) != [])
    sales = [entry for entry in bot.journaled(OrderEntry) if entry.intent.side == "sell" and entry.status == "filled"]
    assert [order.filled_quantity for order in sales] == [dec("2"), dec("2"), dec("1.994")]
    assert [(order.intent.sequence, order.intent.leg) for order in sales] == [(4, 0), (4, 1), (4, 2)]
    assert len({order.intent.client_order_id for order in sales}) == 3
    assert len(bot.journaled(TradeEntry)) == 1


async def test_dust_closes_the_position_and_is_part_of_the_next_one(bench: Bench) -> None:
    bot = await running(bench)
    bench.market.dip()
    await bot.holds()
    bench.market.crash()
    assert (await bot.closed()).position.dust == DUST
    bench.market.flat(10, 80.0)
    bench.market.add(open_=80.0, high=80.0, low=72.0, close=72.0, volume=10.0)
    held = await bot.holds()
    # 471.543734585 USDT at 72.04 buy 6.54558, of which 0.00654558 is the fee.
    assert held.quantity == dec("6.54558") - dec("0.00654558") + DUST


async def test_what_the_venue_would_refuse_at_the_price_of_a_taker_is_dust(bench: Bench) -> None:
    # 5.54691 are worth 443.7528 at the decision's 80, but 443.5309 at the 79.96 that a market order gets.
    bench.market.instruments["BTCUSDT"] = BTC.model_copy(update={"min_notional": dec("443.6")})
    bot = await running(bench)
    bench.market.dip()
    await bot.holds()
    bench.market.crash()
    assert (await bot.closed()).position.dust == HELD


async def test_two_entries_form_one_position_and_one_exit_closes_it(bench: Bench) -> None:
    bot = await running(bench, trading__max_positions=2, strategy__parameters__entry_logic__params__e_bb_dev=1)
    bench.market.dip()
    await bot.holds()
    # A band of 95.6 - 5.4 lets 88 in, on more volume; the stop is at 87 still.
    bench.market.add(open_=90.0, high=90.0, low=88.0, close=88.0, volume=60.0)
    both = await bot.comes(lambda status: (status.position.quantity or 0) > HELD)
    bench.market.add(open_=88.0, high=88.0, low=87.9, close=87.9, volume=300.0)
    bench.market.crash()
    await bot.closed()
    assert 250 < both.position.cash < 251
    await until(lambda: bot.journaled(TradeEntry) != [])
    assert len(bot.journaled(TradeEntry)[0].trade.orders) == 3


async def test_a_daily_limit_is_told_of_once_a_day(bench: Bench) -> None:
    bot = await running(bench, risk_management__max_daily_trades=1)
    bench.market.dip()
    await bot.holds()
    bench.market.crash()
    await bot.closed()
    low = 80.0
    for _ in range(2):
        bench.market.flat(10, low)
        bench.market.add(open_=low, high=low, low=low * 0.9, close=low * 0.9, volume=10.0)
        low *= 0.9
        await until(lambda: "risk_limit" in bot.events())
        await bot.comes(lambda status: status.sighting.candle_time is not None)
    assert bot.events().count("risk_limit") == 1
    assert [notice.kind for notice in bench.notifier.told].count("risk_alert") == 1
    assert (await bot.status()).trades == 1


async def test_a_refused_sale_is_tried_again_until_it_goes_through(bench: Bench) -> None:
    bot = await running(bench)
    bench.market.dip()
    await bot.holds()
    bench.broker.refusal = "the venue is in a mood"
    bench.market.crash()
    status = await bot.reaches("error")
    assert status.position.quantity == HELD
    assert "the venue is in a mood" in (status.last_error or "")
    bench.market.tick("200")  # that the condition is gone makes no difference, but the price is that of now
    bench.broker.refusal = None
    await bot.handle.signal("reconfigure", Reconfigure(rewatch=True))  # rather than wait for the pause to be over
    # 5.54691 sold at 200 less 0.05 %, fee 0.1 % of 1108.827309 rounded up: 500.0000765 + 1108.827309 − 1.10882731
    assert (await bot.closed()).position.cash == dec("1607.71855819")
    await bot.reaches("running")
    sales = [request.intent for request in bench.broker.submitted if request.intent.side == "sell"]
    assert len({sale.client_order_id for sale in sales}) == len(sales) >= 2
    assert len({sale.decision_key for sale in sales}) == 1


async def test_a_sale_that_was_decided_outlives_a_stop(idle_bench: Bench) -> None:
    bench, watch = idle_bench, ScriptedWatch()
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await running(bench)
        bench.market.dip()
        await bot.holds()
        bench.broker.refusal = "not now"
        bench.market.crash()
        await bot.reaches("error")
        await bot.handle.signal("stop")
        assert await bot.ends() == "stopped, holding a position, after 0 trades"
    bench.watch = watch.watch_market
    before = len(bench.broker.submitted)
    async with bench.worker():
        await bot.edit(enabled=True)
        await until(lambda: len(bench.broker.submitted) == before + 1)
        bench.broker.refusal = None
        await watch.returns(WatchResult(outcome="segment"))  # no price is known: the sale goes on all the same
        await bot.closed()
        assert bench.broker.submitted[-1].intent.sequence == bench.broker.submitted[before].intent.sequence + 1
