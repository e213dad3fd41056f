"""A bot that is stopped leaves everything in its row, and goes on from there when it is started again."""

from typing import Any

from domain.journal import TradeEntry
from tests.support.bots import Bench, BotUnderTest, dec, raw_config, until
from tests.support.fakes import BTC

HELD = dec("5.54691753")


async def holding(bench: Bench, **changes: Any) -> BotUnderTest:
    bot = await bench.start(**changes)
    await bot.reaches("running")
    bench.market.dip()
    await bot.holds()
    return bot


async def stopped(bot: BotUnderTest) -> str:
    await bot.edit(enabled=False)
    return await bot.ends()


async def started(bot: BotUnderTest) -> None:
    await bot.edit(enabled=True)
    await bot.reaches("running")


async def test_a_kept_position_is_there_again_with_its_cash_its_stop_and_its_guards(bench: Bench) -> None:
    bot = await holding(bench, risk_management__max_daily_trades=1)
    before = await bot.position()
    assert await stopped(bot) == "stopped, holding a position, after 0 trades"
    await started(bot)
    after = await bot.position()
    assert (after.quantity, after.cash, after.cost) == (before.quantity, before.cash, before.cost)
    assert after.strategy_stop == 87.0
    bench.market.crash()
    await bot.closed()
    bench.market.flat(10, 80.0)
    bench.market.add(open_=80.0, high=80.0, low=72.0, close=72.0, volume=10.0)
    await until(lambda: "risk_limit" in bot.events())  # the entry of the life before counts


async def test_a_stopped_bot_leaves_the_market_alone_and_folds_later_what_it_has_missed(bench: Bench) -> None:
    bot = await holding(bench)
    await stopped(bot)
    bench.market.add(open_=90.0, high=110.0, low=90.0, close=105.0)  # the stop rises to 110 - 1.5 × 5.6 = 101.6
    bench.market.add(open_=105.0, high=105.0, low=99.0, close=101.0)
    assert bench.market.subscribed == 0
    await started(bot)
    await bot.closed()
    await until(lambda: bot.journaled(TradeEntry) != [])
    assert bot.journaled(TradeEntry)[0].trade.exit_reason == "ATRExitMixin"


async def test_client_order_ids_and_sequences_never_repeat_from_life_to_life(bench: Bench) -> None:
    bot = await bench.start()
    for _ in range(3):
        await bot.reaches("running")
        await bot.handle.execute_update("open_position")
        await bot.handle.execute_update("close_position")
        await stopped(bot)
        await bot.edit(enabled=True)
    intents = [request.intent for request in bench.broker.submitted]
    assert [intent.sequence for intent in intents] == [1, 2, 3, 4, 5, 6]
    assert len({intent.client_order_id for intent in intents}) == 6
    status = await bot.comes(lambda status: status.trades == 3)
    assert status.position.cash < 1000
    stamps = [entry.n for owner, entry in bench.journal.entries if owner == bot.bot_id]
    assert len(stamps) == len(set(stamps))


async def test_the_position_is_closed_on_stop_where_that_is_wished(bench: Bench) -> None:
    bot = await holding(bench, trading__on_stop="close_position")
    assert await stopped(bot) == "stopped, flat, after 1 trades"
    assert bot.journaled(TradeEntry)[0].trade.exit_reason == "bot_stopped"
    assert bot.row.status == "stopped"
    assert bot.row.carried is not None
    assert bot.row.carried.book.position is None


async def test_a_stop_that_cannot_close_yet_goes_on_until_it_can(bench: Bench) -> None:
    bot = await holding(bench, trading__on_stop="close_position")
    bench.broker.refusal = "not now"
    await bot.edit(enabled=False)
    status = await bot.comes(lambda status: status.error_count > 0)
    assert status.status == "stopping"
    bench.broker.refusal = None
    await bot.handle.signal("reconfigure", {"rewatch": True})
    assert await bot.ends() == "stopped, flat, after 1 trades"


async def test_a_stop_that_keeps_the_position_does_not_wait_for_a_sale_that_is_refused(bench: Bench) -> None:
    bot = await holding(bench)
    bench.broker.refusal = "not now"
    bench.market.crash()
    await bot.reaches("error")
    tried = len(bench.broker.submitted)
    await bot.edit(enabled=False)
    assert await bot.ends() == "stopped, holding a position, after 0 trades"
    assert len(bench.broker.submitted) == tried
    assert bot.row.carried is not None
    assert bot.row.carried.exiting is not None  # it is carried through when the bot is started again


async def test_a_stop_that_is_taken_back_before_it_is_written_does_not_happen(bench: Bench) -> None:
    bot = await holding(bench)
    bench.journal.away = True
    await bot.handle.signal("stop")
    await bot.reaches("stopped")
    bench.journal.away = False
    bench.journal.edit(bot.bot_id, desired_paused=True)
    await bot.ends()
    await started_paused(bot)


async def started_paused(bot: BotUnderTest) -> None:
    await bot.edit(enabled=True)
    status = await bot.reaches("paused")
    assert status.position.quantity == HELD


async def test_an_invalid_row_does_not_keep_a_position_from_being_guarded_again(bench: Bench) -> None:
    bot = await holding(bench)
    await stopped(bot)
    bench.journal.edit(bot.bot_id, config=raw_config(bot.bot_id, trading__position_size=9))
    await bot.edit(enabled=True)
    await bot.comes(lambda status: status.problems != ())
    assert (await bot.reaches("running")).version == 1
    bench.market.crash()
    await bot.closed()


async def test_cash_that_was_changed_between_two_lives_is_booked_once(bench: Bench) -> None:
    bot = await holding(bench)
    await stopped(bot)
    bench.journal.edit(bot.bot_id, config=raw_config(bot.bot_id, enabled=False, broker__cash=1100))
    await started(bot)
    await bot.comes(lambda status: status.position.cash == dec("600.0000765"))
    await stopped(bot)
    await started(bot)
    await bot.comes(lambda status: status.observed_version is not None)
    assert (await bot.position()).cash == dec("600.0000765")


async def test_a_market_whose_rules_have_changed_is_traded_by_the_new_ones(bench: Bench) -> None:
    bot = await holding(bench)
    await stopped(bot)
    bench.market.instruments["BTCUSDT"] = BTC.model_copy(update={"lot_step": dec("0.1")})
    await started(bot)
    await bot.comes(lambda status: status.observed_version is not None)
    bench.market.crash()
    assert (await bot.closed()).position.dust == HELD - dec("5.5")
