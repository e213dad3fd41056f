from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.config import ConfigActivities
from activities.reminders import Reminders
from domain.errors import VenueUnavailable
from domain.instruments import VenueRef
from domain.state import Prepared
from strategies.registry import validate
from tests.support.bots import bot_row, raw_config
from tests.support.exchange import ExchangeAccounts, FakeExchange
from tests.support.fakes import FakeBots, FakeJournal, FakeMarket
from tests.support.loops import slow


@pytest.fixture
def journal() -> FakeJournal:
    return FakeJournal()


@pytest.fixture
def market() -> FakeMarket:
    return FakeMarket()


@pytest.fixture
def activities(journal: FakeJournal, market: FakeMarket) -> ConfigActivities:
    return ConfigActivities(FakeBots(journal), market, ExchangeAccounts(FakeExchange()))


async def prepared(activities: ConfigActivities, raw: dict[str, Any]) -> Prepared:
    return await ActivityEnvironment().run(activities.prepare, raw)


async def test_a_good_configuration_comes_back_with_its_market(activities: ConfigActivities) -> None:
    answer = await prepared(activities, raw_config("rsi", symbol="BTC/USDT"))
    assert answer.problems == ()
    assert answer.config is not None
    assert answer.instrument is not None
    assert (answer.config.id, answer.instrument.symbol) == ("rsi", "BTC/USDT")


async def test_the_market_is_asked_for_at_the_host_of_the_configuration(activities: ConfigActivities) -> None:
    answer = await prepared(activities, raw_config("rsi", broker__base_url="http://127.0.0.1:9"))
    assert answer.instrument is not None
    assert answer.instrument.venue == VenueRef(name="binance", base_url="http://127.0.0.1:9")


async def test_all_problems_come_at_once_as_an_answer(activities: ConfigActivities) -> None:
    raw = raw_config("rsi", trading__position_size=5, broker__cash=-1, strategy__parameters__exit_logic__name="Nope")
    answer = await prepared(activities, raw)
    assert (answer.config, answer.instrument) == (None, None)
    text = " | ".join(answer.problems)
    for path in ("trading.position_size", "broker.cash", "strategy.parameters.exit_logic.name"):
        assert path in text


async def test_a_slow_check_does_not_hold_up_the_event_loop(
    activities: ConfigActivities, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.checking.validate", slow(validate))
    assert (await prepared(activities, raw_config("rsi"))).problems == ()


async def test_a_symbol_that_the_venue_does_not_have_is_an_answer(activities: ConfigActivities) -> None:
    answer = await prepared(activities, raw_config("rsi", symbol="NOPE/USDT"))
    assert answer.problems == ("symbol: NOPE/USDT is not traded on binance",)


async def test_a_venue_that_is_away_is_asked_again_when_it_wishes(
    activities: ConfigActivities, market: FakeMarket
) -> None:
    market.unavailable = VenueUnavailable("too many requests", retry_after=7)
    with pytest.raises(ApplicationError) as failure:
        await prepared(activities, raw_config("rsi"))
    assert not failure.value.non_retryable
    assert failure.value.type == "VenueUnavailable"
    assert failure.value.next_retry_delay is not None
    assert failure.value.next_retry_delay.total_seconds() == 7


async def test_an_outage_of_a_venue_is_one_line_in_the_log_however_many_bots_wait(
    activities: ConfigActivities, market: FakeMarket
) -> None:
    market.unavailable = VenueUnavailable("binance does not answer: connection refused")
    with capture_logs() as lines:
        for number in range(5):
            with pytest.raises(ApplicationError):
                await prepared(activities, raw_config(f"bot{number}"))
        market.unavailable = VenueUnavailable("http://127.0.0.1:9 does not answer")
        with pytest.raises(ApplicationError):
            await prepared(activities, raw_config("other", broker__base_url="http://127.0.0.1:9"))
    assert [(line["log_level"], line["missing"], line["reason"]) for line in lines] == [
        ("warning", "binance", "binance does not answer: connection refused"),
        ("warning", "binance at http://127.0.0.1:9", "http://127.0.0.1:9 does not answer"),
    ]


def test_what_goes_on_failing_is_told_again_every_ten_minutes() -> None:
    moments = iter([0.0, 1.0, 599.0, 600.0, 601.0, 1_200.0])
    reminders = Reminders(now=lambda: next(moments))
    assert [reminders.due("binance") for _ in range(6)] == [True, False, False, True, False, True]


async def test_a_row_is_read(activities: ConfigActivities, journal: FakeJournal) -> None:
    journal.rows["rsi"] = bot_row("rsi")
    assert await ActivityEnvironment().run(activities.load_row, "rsi") == journal.rows["rsi"]


async def test_a_row_that_is_gone_is_not_asked_for_again(activities: ConfigActivities) -> None:
    with pytest.raises(ApplicationError) as failure:
        await ActivityEnvironment().run(activities.load_row, "rsi")
    assert failure.value.non_retryable
    assert failure.value.type == "UnknownBot"


async def test_a_database_that_is_away_is_asked_again(activities: ConfigActivities, journal: FakeJournal) -> None:
    journal.away = True
    with pytest.raises(ApplicationError) as failure:
        await ActivityEnvironment().run(activities.load_row, "rsi")
    assert not failure.value.non_retryable
    assert failure.value.next_retry_delay is None
