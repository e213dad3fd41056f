"""Stop and target of a position, and the prices at which orders rest."""

from typing import Any

import pytest

from domain.decisions import ExitLevels, ExitState
from domain.levels import exit_levels, is_off, limit_price, protective_stop
from domain.orders import Side
from tests.domain.builders import config, dec, instrument, position
from tests.support.bots import LIVE

STATE = ExitState(logic="x", folded=0, stop=97.25)


@pytest.mark.parametrize(
    ("risk", "held", "expected"),
    [
        pytest.param({}, position(), ExitLevels(), id="none"),
        pytest.param(
            {"stop_loss_pct": 3.0, "take_profit_pct": 6.0},
            position(),
            ExitLevels(stop=dec(97), target=dec(106)),
            id="both",
        ),
        pytest.param({"stop_loss_pct": 0.5}, position(), ExitLevels(stop=dec("99.5")), id="stop-only"),
        pytest.param({"take_profit_pct": 150}, position(), ExitLevels(target=dec(250)), id="target-only"),
        pytest.param(
            {"stop_loss_pct": 10},
            position(quantity="3", cost="400"),
            ExitLevels(stop=dec(120)),
            id="of-the-average-of-all-entries",
        ),
        pytest.param(
            {"stop_loss_pct": 3},
            position(quantity="3", cost="100"),
            ExitLevels(stop=dec("32.333333333333333333")),
            id="18-decimals-as-the-database-keeps",
        ),
    ],
)
def test_levels_are_percentages_of_the_average_price(risk: dict[str, Any], held: Any, expected: ExitLevels) -> None:
    settings = config(**{f"risk_management__{key}": value for key, value in risk.items()})
    assert exit_levels(settings, held, STATE, guarding=False) == expected


def test_the_last_stop_of_the_strategy_is_watched_only_while_it_cannot_run() -> None:
    assert exit_levels(config(), position(), STATE, guarding=True) == ExitLevels(last_stop=dec("97.25"))
    assert exit_levels(config(), position(), STATE, guarding=False) == ExitLevels()


@pytest.mark.parametrize(
    "state", [None, STATE.model_copy(update={"stop": None}), STATE.model_copy(update={"stop": -1.0})]
)
def test_without_a_stop_of_the_strategy_there_is_none_to_watch(state: ExitState | None) -> None:
    assert exit_levels(config(), position(), state, guarding=True) == ExitLevels()


def test_with_a_stop_at_the_exchange_the_exit_s_own_stop_is_watched_by_price_as_well() -> None:
    settings = config(risk_management__exchange_stop=True)
    assert exit_levels(settings, position(), STATE, guarding=False) == ExitLevels(last_stop=dec("97.25"))


@pytest.mark.parametrize(
    ("side", "offset", "reference", "expected"),
    [
        pytest.param("buy", 0, "100", "100", id="buy-at-the-reference"),
        pytest.param("buy", 1, "90", "89.10", id="buy-one-percent-below"),
        pytest.param("sell", 1, "80", "80.80", id="sell-one-percent-above"),
        pytest.param("buy", 0.3, "100.01", "99.70", id="99.70997-down"),
        pytest.param("sell", 0.3, "100.01", "100.32", id="100.31003-up"),
    ],
)
def test_a_limit_is_offered_on_a_tick_and_never_worse_than_its_offset(
    side: Side, offset: float, reference: str, expected: str
) -> None:
    settings = config(trading__limit_offset_pct=offset)
    assert limit_price(settings, instrument(), dec(reference), side=side) == dec(expected)


@pytest.mark.parametrize(
    ("settings", "levels", "expected"),
    [
        pytest.param({}, ExitLevels(stop=dec("97.257"), last_stop=dec("96")), "97.25", id="the-stop-on-a-tick-below"),
        pytest.param({}, ExitLevels(stop=dec("97"), last_stop=dec("98.5")), "98.5", id="the-exit-s-own-when-higher"),
        pytest.param({}, ExitLevels(target=dec("120")), None, id="no-stop"),
        pytest.param({"risk_management__exchange_stop": False}, ExitLevels(stop=dec(97)), None, id="switched-off"),
        pytest.param({"broker__trading_mode": "paper"}, ExitLevels(stop=dec(97)), None, id="on-paper"),
    ],
)
def test_the_highest_stop_rests_at_the_exchange(
    settings: dict[str, Any], levels: ExitLevels, expected: str | None
) -> None:
    given = config(**LIVE | {"risk_management__exchange_stop": True} | settings)
    assert protective_stop(levels, given, instrument()) == (None if expected is None else dec(expected))


@pytest.mark.parametrize(
    ("resting", "wanted", "expected"),
    [
        (None, None, False),
        (None, "100", True),
        ("100", None, True),
        ("100", "100.05", False),
        ("100", "100.06", True),
        ("100", "99.94", True),
    ],
)
def test_a_stop_is_moved_when_that_is_worth_two_orders(
    resting: str | None, wanted: str | None, *, expected: bool
) -> None:
    known, wished = (None if price is None else dec(price) for price in (resting, wanted))
    assert is_off(known, wished) is expected
