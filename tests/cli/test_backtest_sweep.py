"""`backtest --sweep`: every combination of a grid has the figures that it has alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.backtest.grid import axes_of, combinations, varied
from cli.output import CliError
from tests.cli.helpers import Cli
from tests.support.market_data import BTC_MONTH

EXAMPLE = Path(__file__).parents[1] / "e2e" / "example.json"
RAW: dict[str, Any] = json.loads(EXAMPLE.read_text())
CANDLES = ("--csv", str(BTC_MONTH), "--interval", "1m", "--to", "2022-01-10")


async def test_each_combination_has_the_figures_of_its_own_backtest(tmp_path: Path) -> None:
    cli = Cli()
    grid = "x_sl_multiplier=1:2:0.5,e_rsi_period=10:20:10,risk_management.stop_loss_pct=0.3:3:2.7"
    swept = await cli("backtest", "--config", str(EXAMPLE), *CANDLES, "--sweep", grid, "--json")
    assert swept.code == 0, swept.err
    assert len(swept.json) == 3 * 2 * 2
    returns = [each["metrics"]["total_return"] for each in swept.json]
    assert returns == sorted(returns, reverse=True)
    for each in (swept.json[0], swept.json[-1]):
        raw = json.loads(json.dumps(RAW))
        parameters = raw["strategy"]["parameters"]
        parameters["entry_logic"]["params"]["e_rsi_period"] = each["params"]["e_rsi_period"]
        parameters["exit_logic"]["params"]["x_sl_multiplier"] = each["params"]["x_sl_multiplier"]
        raw["risk_management"]["stop_loss_pct"] = each["params"]["risk_management.stop_loss_pct"]
        path = tmp_path / "one.json"
        path.write_text(json.dumps(raw))
        # All of a grid begin after the longest warm-up: 600 candles for an RSI of 20.
        alone = await cli("backtest", "--config", str(path), *CANDLES, "--from", "2022-01-01T09:00", "--json")
        assert alone.json["metrics"] == each["metrics"]


async def test_people_see_the_best_combinations() -> None:
    shown = await Cli()("backtest", "--config", str(EXAMPLE), *CANDLES, "--sweep", "x_sl_multiplier=1:3:1")
    assert shown.code == 0, shown.err
    assert "the best of 3 combinations" in shown.out


def test_a_grid_has_every_combination_and_entries_change_slowest() -> None:
    axes = axes_of("x_sl_multiplier=1:1.5:0.25,e_rsi_period=10:11:1", RAW)
    assert list(combinations(axes)) == [
        (("e_rsi_period", period), ("x_sl_multiplier", multiplier))
        for period in (10, 11)
        for multiplier in (1, 1.25, 1.5)
    ]
    changed = varied(RAW, axes, (("e_rsi_period", 11), ("x_sl_multiplier", 1.25)))
    assert changed["strategy"]["parameters"]["entry_logic"]["params"]["e_rsi_period"] == 11
    assert changed["strategy"]["parameters"]["exit_logic"]["params"]["x_sl_multiplier"] == 1.25
    assert RAW["strategy"]["parameters"]["entry_logic"]["params"]["e_rsi_period"] == 14


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ("e_rsi_period", "must be PARAM=FROM:TO:STEP, such as e_rsi_period=10:20:2; was e_rsi_period"),
        ("e_rsi_period=1:2", "must be PARAM=FROM:TO:STEP"),
        ("e_rsi_period=20:10:1", "must be PARAM=FROM:TO:STEP"),
        ("e_rsi_period=10:20:0", "must be PARAM=FROM:TO:STEP"),
        ("e_rsi_period=10:nan:1", "must be PARAM=FROM:TO:STEP"),
        ("e_rsi_perod=10:20:1", "e_rsi_period"),
        ("e_rsi_period=10:20:1,e_rsi_period=10:20:1", "e_rsi_period stands there twice"),
        ("e_bb_dev=0:9:0.00001", "e_bb_dev has 900,001 values; at most 100,000"),
        ("e_rsi_period=2:1000:1,x_atr_period=2:1000:1", "998,001 combinations are too many; at most 100,000"),
    ],
)
def test_a_grid_that_makes_no_sense_is_told_so(grid: str, words: str) -> None:
    with pytest.raises(CliError) as refused:
        axes_of(grid, RAW)
    assert words in str(refused.value)


async def test_a_value_out_of_range_is_refused_before_anything_runs() -> None:
    refused = await Cli()("backtest", "--config", str(EXAMPLE), *CANDLES, "--sweep", "e_rsi_period=1:3:1")
    assert refused.code == 1
    assert "--sweep: e_rsi_period=1: strategy.parameters.entry_logic.params.e_rsi_period" in refused.err
