"""Stop and target of a position."""

from typing import Any

import pytest

from domain.decisions import ExitLevels, ExitState
from domain.levels import exit_levels
from tests.domain.builders import config, dec, position

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
