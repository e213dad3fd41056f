"""`bots resolve`: a person tells a bot what only a person can find out."""

from datetime import timedelta

import pytest

from db.bots import BotRepository
from domain.ports import OrderHabits
from tests.cli.helpers import Cli, eventually, running_bot
from tests.support.bots import LIVE, Bench, BotUnderTest


@pytest.fixture
async def lost(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> BotUnderTest:
    """A bot whose order has been swallowed at an exchange that finds no order by its id."""
    monkeypatch.setattr("activities.sending._EVIDENCE_SECONDS", 0.1)
    monkeypatch.setattr("workflows.adopting._WARY", timedelta(0))
    bench.exchange.habit = OrderHabits(finds=False, late_after=None)
    bot = await running_bot(bench, **LIVE)
    bench.exchange.swallow = 1
    bench.market.dip()
    await bot.reaches("error")
    return bot


async def test_an_order_is_shown_as_unknown_and_resolved(cli: Cli, lost: BotUnderTest, rows: BotRepository) -> None:
    async def journaled() -> bool:
        carried = (await rows.get(lost.bot_id)).carried
        return carried is not None and carried.unknown is not None

    await eventually(journaled)
    shown = await cli("bots", "show", lost.bot_id)
    assert "unknown order" in shown.out
    assert "--filled QUANTITY@PRICE, or --absent" in " ".join(shown.out.split())
    resolved = await cli("bots", "resolve", lost.bot_id, "--filled", "0.5@90", "--fee", "0.045")
    assert resolved.out == f"{lost.bot_id}: bought 0.5 BTC @ 90 USDT: RSIBBVolumeEntryMixin\n", resolved.err
    again = await cli("bots", "resolve", lost.bot_id, "--absent")
    assert (again.code, again.err) == (1, f"error: {lost.bot_id}: no order is unknown\n")


async def test_an_order_that_the_exchange_does_not_have_is_cancelled(cli: Cli, lost: BotUnderTest) -> None:
    resolved = await cli("bots", "resolve", lost.bot_id, "--absent")
    assert "not filled: a person found it absent" in resolved.out, resolved.err
    assert (await lost.reaches("running")).unknown_order is None


async def test_more_than_was_ordered_cannot_have_been_filled(cli: Cli, lost: BotUnderTest) -> None:
    outcome = await cli("bots", "resolve", lost.bot_id, "--filled", "1000@90")
    assert outcome.code == 1
    assert "can be filled; was 1000" in outcome.err


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), "none of them"),
        (("--absent", "--explained"), "--absent and --explained"),
        (("--filled", "1@2", "--absent"), "--filled and --absent"),
        (("--sold", "1@2", "--explained"), "--sold and --explained"),
    ],
)
async def test_one_finding_is_expected(cli: Cli, options: tuple[str, ...], found: str) -> None:
    outcome = await cli("bots", "resolve", "any", *options)
    expected = "one of --filled QUANTITY@PRICE, --absent, --sold QUANTITY@PRICE and --explained"
    assert (outcome.code, outcome.err) == (1, f"error: expected {expected}; found {found}\n")


@pytest.mark.parametrize("option", ["--filled", "--sold"])
@pytest.mark.parametrize("text", ["0.5", "a@b", "0.5@", "-1@90"])
async def test_a_fill_is_a_quantity_at_a_price(cli: Cli, option: str, text: str) -> None:
    outcome = await cli("bots", "resolve", "any", option, text)
    assert outcome.code == 1
    assert f"{option} must be like 0.25@43210.5, and --fee a number; was {text!r}" in outcome.err


async def test_what_was_sold_by_hand_is_booked(cli: Cli, bench: Bench) -> None:
    bot = await running_bot(bench, **LIVE)
    bench.market.dip()
    await bot.holds()
    held = (await bot.position()).quantity
    booked = await cli("bots", "resolve", bot.bot_id, "--sold", f"{held}@100", "--fee", "0.5")
    assert booked.out.startswith(f"{bot.bot_id}: sold {held} BTC @ 100 USDT: sold_by_hand; position closed"), booked.err
    again = await cli("bots", "resolve", bot.bot_id, "--sold", "1@100")
    assert again.err == f"error: {bot.bot_id}: there is no position of which anything could have been sold\n"


async def test_without_a_difference_there_is_nothing_to_explain(cli: Cli, bench: Bench) -> None:
    bot = await running_bot(bench)
    outcome = await cli("bots", "resolve", bot.bot_id, "--explained")
    assert outcome.err == f"error: {bot.bot_id}: books and venue do not differ, as far as is known\n"
