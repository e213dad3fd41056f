"""The example plugin of the documentation: installed into a virtual environment, found there, and traded by bots."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from domain.config_errors import InvalidConfig
from domain.journal import TradeEntry
from plugins.plugins import Plugins
from strategies.registry import describe, validate
from tests.support.bots import Bench, raw_config, until

SOURCE = Path(__file__).resolve().parents[2] / "docs/example-plugin"
UV = Path(sys.executable).parent / "uv"
VERSION = "steadyhand-example 1.0.0"


@pytest.fixture(scope="module")
def site_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example, offline, into an environment of its own."""
    place = tmp_path_factory.mktemp("example")
    source = shutil.copytree(SOURCE, place / "source")
    environment = {**os.environ, "UV_CACHE_DIR": str(place / "cache"), "UV_OFFLINE": "1", "UV_NO_CONFIG": "1"}

    def uv(*arguments: str) -> None:
        done = subprocess.run([UV, *arguments], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    uv("venv", "--python", sys.executable, str(place / "venv"))
    uv("pip", "install", "--no-deps", "--python", str(place / "venv/bin/python"), str(source))
    [found] = (place / "venv/lib").glob("python3*/site-packages")
    return found


@pytest.fixture
def plugins(site_packages: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugins]:
    monkeypatch.syspath_prepend(str(site_packages))
    plugins = Plugins()
    yield plugins
    plugins.close()


def logics(entry: str = "BreakoutEntry", exit_: str = "ChannelExit") -> dict[str, Any]:
    return {
        "entry_logic": {"name": entry, "params": {"high_period": 20}},
        "exit_logic": {"name": exit_, "params": {"low_period": 10}},
    }


def test_what_is_installed_is_known_by_name_before_any_of_its_code_has_run(plugins: Plugins) -> None:
    assert plugins.names("entry") == ["BreakoutEntry"]
    assert plugins.names("exit") == ["ChannelExit"]
    assert plugins.names("strategy") == ["ChannelStrategy"]
    assert plugins.pids == frozenset()
    assert not [name for name in sys.modules if name.startswith("steadyhand_example")]


def test_its_parameters_are_described_as_those_of_the_catalogue_are(plugins: Plugins) -> None:
    described = {logic.name: logic for logic in describe(plugins)}
    entry = described["BreakoutEntry"]
    assert (entry.kind, entry.rule) == ("entry", "C > the highest H of the `high_period` candles before.")
    [period] = entry.parameters
    assert (period.name, period.type, period.default, period.minimum, period.maximum) == (
        *("high_period", "integer", 20),
        *(2, 1000),
    )
    assert period.description == "Candles whose highest high must be exceeded."
    assert {name.name for name in described["ChannelStrategy"].parameters} == {"high_period", "low_period"}
    assert {"ATRExitMixin", "ChannelExit"} <= described.keys()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"strategy__parameters__entry_logic": {"name": "BreakoutEntry", "params": {"high_period": 1}}},
            "strategy.parameters.entry_logic.params.high_period: must be at least 2; was 1",
        ),
        (
            {"strategy__parameters__exit_logic": {"name": "ChannelExit", "params": {"low_perod": 5}}},
            "strategy.parameters.exit_logic.params.low_perod: unknown parameter; did you mean low_period?",
        ),
        (
            {"strategy": {"type": "ChannelStrategy", "parameters": {"low_period": "many", "position_size": 0.2}}},
            "strategy.parameters.low_period: must be a whole number; was 'many'",
        ),
        (
            {"strategy__type": "ChanelStrategy"},
            "strategy.type: unknown strategy 'ChanelStrategy'; did you mean ChannelStrategy? Known: CustomStrategy, Ch",
        ),
        (
            {"strategy__parameters__entry_logic__name": "BreakoutEntri"},
            "strategy.parameters.entry_logic.name: unknown entry logic 'BreakoutEntri'; did you mean BreakoutEntry? ",
        ),
    ],
)
def test_what_is_wrong_is_said_as_for_the_catalogue(plugins: Plugins, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidConfig) as refused:
        validate(raw_config(**changes), plugins)
    [found] = map(str, refused.value.problems)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("strategy", "reasons", "versions"),
    [
        pytest.param(
            {"type": "CustomStrategy", "parameters": logics()},
            ("BreakoutEntry", "ChannelExit"),
            {"entry": VERSION, "exit": VERSION},
            id="both-logics",
        ),
        pytest.param(
            {
                "type": "CustomStrategy",
                "parameters": logics()
                | {"exit_logic": {"name": "ATRExitMixin", "params": {"x_atr_period": 5, "x_sl_multiplier": 1.0}}},
            },
            ("BreakoutEntry", "ATRExitMixin"),
            {"entry": VERSION},
            id="its-entry-with-an-exit-of-the-catalogue",
        ),
        pytest.param(
            {"type": "ChannelStrategy", "parameters": {"high_period": 20, "low_period": 10, "position_size": 0.5}},
            ("ChannelStrategy", "ChannelStrategy"),
            {"entry": VERSION, "exit": VERSION},
            id="a-strategy",
        ),
    ],
)
async def test_a_bot_trades_by_it_from_its_configuration_to_a_closed_trade(
    temporal: Client, plugins: Plugins, strategy: dict[str, Any], reasons: tuple[str, str], versions: dict[str, str]
) -> None:
    """The close of 105 is above all highs of 100: bought at 105 + 0.05 %. The close of 80 is below every stop."""
    bench = Bench(temporal, plugs=plugins)
    bench.market.flat(60, 100.0)
    async with bench.worker():
        bot = await bench.start(strategy=strategy, trading__position_size=0.5)
        await bot.comes(lambda answer: answer.status == "running", seconds=30)
        bench.market.add(open_=100.0, high=105.0, low=100.0, close=105.0)
        await bot.comes(lambda answer: answer.position.quantity is not None, seconds=30)
        bench.market.add(open_=105.0, high=105.0, low=80.0, close=80.0)
        await bot.comes(lambda answer: answer.trades == 1, seconds=30)
        await until(lambda: bool(bot.journaled(TradeEntry)))
    [trade] = bot.journaled(TradeEntry)
    assert (trade.strategy, trade.entry_logic) == (strategy["type"], reasons[0])
    assert (trade.exit_logic, trade.trade.exit_reason) == (reasons[1], reasons[1])
    assert trade.trade.entry_price == Decimal("105.06")  # to the tick, against the taker
    assert trade.plugins == versions
    if reasons[0] == "ChannelStrategy":
        assert trade.entry_params == trade.exit_params == {"high_period": 20, "low_period": 10}
