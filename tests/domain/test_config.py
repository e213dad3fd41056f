"""The configuration: the user's example, the defaults, and every refusal in words."""

import copy
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.config import BotConfig, parse_config
from domain.config_errors import InvalidConfig

EXAMPLE_TEXT = """
{"id": "rsi_atr_btc_paper", "name": "RSI+ATR BTC Paper Trading", "enabled": true, "symbol": "BTCUSDT",
 "broker": {"type": "binance", "trading_mode": "paper", "name": "rsi_atr_btc_paper_broker", "cash": 100.0},
 "strategy": {"type": "CustomStrategy", "parameters": {
   "entry_logic": {"name": "RSIBBVolumeEntryMixin", "params": {"e_rsi_period": 14, "e_rsi_oversold": 30,
     "e_bb_period": 20, "e_bb_dev": 2.0, "e_vol_ma_period": 20, "e_min_volume_ratio": 1.1, "e_use_bb_touch": true}},
   "exit_logic": {"name": "ATRExitMixin", "params": {"x_atr_period": 14, "x_sl_multiplier": 1.5}},
   "position_size": 0.1}},
 "data": {"data_source": "binance", "interval": "1h", "lookback_bars": 500},
 "trading": {"position_size": 0.1, "max_positions": 1},
 "risk_management": {"max_position_size": 1000.0, "stop_loss_pct": 3.0, "take_profit_pct": 6.0,
   "max_daily_loss": 200.0, "max_daily_trades": 5},
 "notifications": {"position_opened": true, "position_closed": true, "email_enabled": false,
   "telegram_enabled": true, "error_notifications": true}}
"""

SMALLEST: Mapping[str, Any] = {
    "id": "b",
    "name": "B",
    "enabled": False,
    "symbol": "BTC/USDT",
    "broker": {"type": "kraken", "trading_mode": "paper", "name": "b", "cash": 50},
    "strategy": {
        "type": "CustomStrategy",
        "parameters": {"entry_logic": {"name": "Some"}, "exit_logic": {"name": "Other"}},
    },
    "data": {"data_source": "binance", "interval": "1m"},
}


def example() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(EXAMPLE_TEXT)
    return document


def smallest_with(path: str, value: object) -> dict[str, Any]:
    """Return the smallest configuration with one key set."""
    document = copy.deepcopy(dict(SMALLEST))
    *parents, key = path.split(".")
    place = document
    for parent in parents:
        place = place.setdefault(parent, {})
    place[key] = value
    return document


def _paths(document: Mapping[str, Any], at: str = "") -> Iterator[str]:
    for key, value in document.items():
        yield f"{at}{key}"
        if isinstance(value, dict):
            yield from _paths(value, f"{at}{key}.")


def written(config: BotConfig) -> BotConfig:
    """Return a configuration as a workflow's history gives it back."""
    return BotConfig.model_validate_json(config.model_dump_json())


def problems(document: object) -> dict[str, str]:
    """Return the problems of a document by their path; none when it is accepted."""
    try:
        parse_config(document)  # type: ignore[arg-type]  # what a database row holds may have any shape
    except InvalidConfig as error:
        found = error.problems
    else:
        return {}
    by_path = {problem.path: problem.message for problem in found}
    assert len(by_path) == len(found), "a path is reported twice"
    return by_path


def test_the_users_example_loads_and_every_key_of_it_is_kept() -> None:
    config = parse_config(example())

    assert config.broker.cash == Decimal(100)
    assert config.risk_management.max_daily_trades == 5
    assert config.notifications.telegram_enabled
    assert written(config) == config
    assert set(_paths(config.model_dump())) == set(_paths(example()))


def test_keys_that_are_not_set_have_the_documented_defaults() -> None:
    config = parse_config(SMALLEST)

    assert config.position_fraction == Decimal("0.1")
    assert config.broker.paper_trading_config.fee_rate == Decimal("0.001")
    assert config.broker.paper_trading_config.slippage_pct == Decimal("0.05")
    assert config.broker.paper_trading_config.fee_currency == "received"
    assert (config.data.lookback_bars, config.data.price_interval_seconds) == (500, 1.0)
    assert (config.trading.max_positions, config.trading.on_stop) == (1, "keep_position")
    assert config.trading.on_reconfigure == "adopt"
    limits = config.risk_management
    assert {getattr(limits, name) for name in type(limits).model_fields} == {None, False}
    assert (config.error_budget.errors, config.error_budget.within_minutes) == (10, 60)
    told = config.notifications
    assert all((told.position_opened, told.position_closed, told.error_notifications, told.risk_alerts))
    assert not told.telegram_enabled
    assert config.logging.level == "INFO"
    assert set(_paths(config.model_dump())) == set(_paths(SMALLEST))


def test_market_data_comes_from_the_data_source_not_from_the_broker() -> None:
    assert parse_config(SMALLEST).venue.name == "binance"


@pytest.mark.parametrize(
    ("trading", "strategy", "expected"),
    [
        pytest.param(0.2, 0.3, "0.2", id="trading-wins"),
        pytest.param(None, 0.3, "0.3", id="the-strategy's-own"),
        pytest.param(None, None, "0.1", id="neither"),
        pytest.param(1, None, "1", id="all-of-the-cash"),
    ],
)
def test_the_position_fraction_is_taken_from_one_place(
    trading: float | None, strategy: float | None, expected: str
) -> None:
    document = smallest_with("trading.position_size", trading)
    document["strategy"]["parameters"]["position_size"] = strategy

    assert parse_config(document).position_fraction == Decimal(expected)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("broker.base_url", "http://127.0.0.1:8080"),
        ("broker.type", "paper"),
        ("broker.paper_trading_config", {"fee_rate": 0, "slippage_pct": 0, "fee_currency": "quote"}),
        ("trading.position_size", 1),
        ("trading.max_positions", 3),
        ("trading.on_stop", "close_position"),
        ("trading.on_reconfigure", "after_exit"),
        ("trading.limit_timeout_seconds", 60),
        ("risk_management.max_position_size", 25.5),
        ("risk_management.stop_loss_pct", 0.5),
        ("risk_management.take_profit_pct", 150),
        ("risk_management.max_daily_loss", 10),
        ("risk_management.max_daily_trades", 1),
        ("risk_management.cooldown_minutes", 2.5),
        ("risk_management.stoploss_guard", None),
        ("risk_management.exchange_stop", True),
        ("trading.entry_order", "limit"),
        ("trading.exit_order", "limit"),
        ("trading.limit_offset_pct", 0.1),
        ("trading.limit_timeout_seconds", 30),
        ("data.price_interval_seconds", 0.2),
        ("data.lookback_bars", 50),
        ("data.interval", "1M"),
        ("error_budget", {"errors": 10}),
        ("notifications.telegram_enabled", True),
        ("notifications.recipients", {}),
        ("logging.level", "DEBUG"),
        ("description", None),
        ("symbol", "1000SATS/FDUSD"),
    ],
)
def test_a_key_of_this_release_is_accepted_and_kept(path: str, value: object) -> None:
    document = smallest_with(path, value)

    assert problems(document) == {}
    config = parse_config(document)
    assert written(config) == config
    assert set(_paths(config.model_dump())) == set(_paths(document))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.stream", True),
        ("risk_management.stoploss_guard", {"stops": 2, "within_minutes": 60, "pause_minutes": 60}),
        ("risk_management.max_drawdown_pct", 20),
        ("error_budget", {"errors": 3, "within_minutes": 60}),
        ("notifications.performance_summaries", "daily"),
        ("notifications.email_enabled", True),
        ("notifications.webhook_enabled", True),
        ("notifications.recipients", {"telegram": "123"}),
    ],
)
def test_a_key_of_a_later_release_is_refused_rather_than_ignored(path: str, value: object) -> None:
    found = problems(smallest_with(path, value))

    assert list(found) == [path]
    assert found[path].startswith("not available yet; ")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("id", "Has Spaces", "must be 1 to 64 of the characters a-z, 0-9, _ and -; was 'Has Spaces'"),
        ("id", "a" * 65, f"must be 1 to 64 of the characters a-z, 0-9, _ and -; was '{'a' * 59}…"),
        ("name", "", "must be text of at least 1 characters; was ''"),
        ("enabled", "yes", "must be true or false; was 'yes'"),
        ("enabled", 1, "must be true or false; was 1"),
        ("symbol", "BTC/USDT:USDT", "must be a spot symbol such as BTC/USDT or BTCUSDT; was 'BTC/USDT:USDT'"),
        ("broker", [], "must be an object; was []"),
        ("broker.type", "Binance", "must be the lower-case id of an exchange, such as binance; was 'Binance'"),
        ("broker.trading_mode", "demo", "must be one of paper, live; was 'demo'"),
        ("broker.cash", -3, "must be greater than 0; was -3"),
        ("broker.cash", True, "must be a number; was true"),
        ("broker.cash", None, "must be a number; was null"),
        ("broker.cash", float("nan"), "must be a finite number; was nan"),
        ("broker.cash", float("inf"), "must be a finite number; was inf"),
        ("broker.cash", "NaN", "must be a finite number; was 'NaN'"),
        ("broker.cash", "lots", "must be a number; was 'lots'"),
        ("broker.cash", 1e-19, "must be a number of at most 18 decimal places; was 1e-19"),
        ("broker.cash", 1e16, "must be at most 1000000000000000; was 1e+16"),
        ("broker.base_url", "localhost", "must be an address such as http://127.0.0.1:8080; was 'localhost'"),
        ("broker.paper_trading_config.fee_rate", 1, "must be less than 1; was 1"),
        ("broker.paper_trading_config.fee_currency", "base", "must be one of received, quote; was 'base'"),
        ("strategy.parameters.entry_logic.params", 3, "must be an object; was 3"),
        ("data.data_source", "paper", "must be the id of an exchange; 'paper' has no market data"),
        (
            "data.interval",
            "7q",
            "must be a number and one of s, m, h, d, w, M, such as 1m or 4h; was '7q'",
        ),
        ("data.interval", "2M", "must be between 1s and 1M; was '2M'"),
        ("data.interval", 5, "must be text; was 5"),
        ("data.lookback_bars", 2.5, "must be a whole number; was 2.5"),
        ("data.lookback_bars", 1, "must be at least 2; was 1"),
        ("data.price_interval_seconds", 0, "must be at least 0.05; was 0"),
        ("trading.position_size", 0, "must be greater than 0; was 0"),
        ("trading.position_size", 1.01, "must be at most 1; was 1.01"),
        ("trading.max_positions", 0, "must be at least 1; was 0"),
        ("risk_management.stop_loss_pct", 100, "must be less than 100; was 100"),
        ("risk_management.take_profit_pct", 0, "must be greater than 0; was 0"),
        ("risk_management.cooldown_minutes", -1, "must be at least 0; was -1"),
        ("risk_management.stoploss_guard", {"stops": 0}, None),
        ("notifications.recipients", {"fax": "1"}, None),
        ("logging.level", "LOUD", "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL; was 'LOUD'"),
    ],
)
def test_a_value_out_of_its_range_is_refused_with_what_was_found_and_expected(
    path: str, value: object, message: str | None
) -> None:
    found = problems(smallest_with(path, value))

    if message is None:
        assert found
        assert all(place.startswith(f"{path}.") for place in found)
    else:
        assert found == {path: message}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nmae", "unknown key; did you mean name?"),
        ("broker.csh", "unknown key; did you mean cash?"),
        ("broker.paper_trading_config.fee_rates", "unknown key; did you mean fee_rate?"),
        ("strategy.parameters.exit_logics", "unknown key; did you mean exit_logic?"),
        ("data.lookback", "unknown key; did you mean lookback_bars?"),
        ("risk_management.Stop_Loss_PCT", "unknown key; did you mean stop_loss_pct?"),
        ("risk_management.stoploss_guard.stop", "unknown key; did you mean stops?"),
        ("stop_loss_pct", "unknown key here; did you mean risk_management.stop_loss_pct?"),
        ("data.stop_loss_pct", "unknown key here; did you mean risk_management.stop_loss_pct?"),
        ("logging.zzz", "unknown key; expected one of level"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest_known_one(path: str, message: str) -> None:
    assert problems(smallest_with(path, 1))[path] == message


def test_a_missing_key_is_named() -> None:
    document = example()
    del document["symbol"]
    del document["broker"]["cash"]
    del document["strategy"]["parameters"]["exit_logic"]

    assert problems(document) == {
        "symbol": "is required",
        "broker.cash": "is required",
        "strategy.parameters.exit_logic": "is required",
    }


def test_all_problems_come_at_once_those_between_keys_included() -> None:
    document = example()
    document["broker"] |= {"cash": -3, "trading_mode": "live", "csh": 1}
    document["data"]["interval"] = "7q"
    del document["risk_management"]["max_daily_loss"]

    assert set(problems(document)) == {
        "broker.cash",
        "broker.csh",
        "broker.credentials",
        "broker.live_trading_confirmed",
        "data.interval",
        "risk_management.max_daily_loss",
    }


def test_live_trading_says_what_it_requires() -> None:
    document = example()
    document["broker"]["trading_mode"] = "live"
    document["risk_management"] = {}
    assert problems(document) == {
        "broker.credentials": "is required when broker.trading_mode is live",
        "broker.live_trading_confirmed": "must be true when broker.trading_mode is live; was false",
        "risk_management.max_position_size": "is required when broker.trading_mode is live",
        "risk_management.max_daily_loss": "is required when broker.trading_mode is live",
    }


def live() -> dict[str, Any]:
    document = example()
    document["broker"] |= {"trading_mode": "live", "credentials": "main", "live_trading_confirmed": True}
    return document


def test_a_live_bot_trades_the_account_of_its_keys_at_its_own_host() -> None:
    document = live()
    document["broker"] |= {"sandbox": True, "base_url": "http://127.0.0.1:1"}
    config = parse_config(document)

    assert config.account is not None
    assert (config.account.credentials, config.account.venue) == ("main", config.venue)
    assert (config.venue.name, config.venue.base_url, config.venue.sandbox) == ("binance", "http://127.0.0.1:1", True)
    assert parse_config(example()).account is None


def test_a_live_bot_watches_the_exchange_that_it_trades_at() -> None:
    document = live()
    document["data"]["data_source"] = "kraken"

    assert problems(document) == {
        "data.data_source": "must be the broker's own exchange when live, 'binance'; was 'kraken'"
    }


@pytest.mark.parametrize("document", [None, [], "text", 3])
def test_a_document_that_is_no_object_is_refused(document: object) -> None:
    assert list(problems(document)) == [""]


def test_the_error_reads_as_one_line() -> None:
    with pytest.raises(InvalidConfig) as caught:
        parse_config(smallest_with("broker.cash", 0))

    assert str(caught.value) == "broker.cash: must be greater than 0; was 0"


@settings(deadline=None)
@given(st.decimals(min_value="0.000000000000000001", max_value="999999999999999", places=18))
def test_an_amount_keeps_every_digit_in_a_workflow(amount: Decimal) -> None:
    config = parse_config(smallest_with("broker.cash", str(amount)))

    assert written(config).broker.cash == amount


TEXT = st.text(alphabet="a1 _.-/'{}é\0", max_size=6)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
PATHS = list(_paths(example()))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), ANY_JSON, max_size=4))
def test_whatever_a_row_holds_is_accepted_or_refused_in_words(values: dict[str, object]) -> None:
    document = example()
    for path, value in values.items():
        *parents, key = path.split(".")
        place: Any = document
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[key] = value

    assert all(message for message in problems(document).values())


def test_a_json_number_becomes_the_decimal_that_was_written() -> None:
    assert str(parse_config(smallest_with("broker.cash", 100.1)).broker.cash) == "100.1"


def test_a_configuration_survives_the_way_through_a_workflows_history() -> None:
    config = parse_config(example())

    assert BotConfig.model_validate_json(config.model_dump_json()) == config


def test_a_configuration_cannot_be_changed() -> None:
    config = parse_config(SMALLEST)

    with pytest.raises(ValidationError, match="frozen"):
        config.trading.max_positions = 2  # type: ignore[misc]  # the type checker sees it too
