"""Which plugins are found, under which names, and what is said of those that are not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cli.plugged import validate as validate_by_command
from domain.config_errors import InvalidConfig
from plugins.plugins import Plugins
from strategies.registry import ENTRIES, build_strategy, describe, validate
from tests.plugins.conftest import Zoo
from tests.support.bots import raw_config

Distribution = Callable[..., None]


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    """Puts on the path what an installed package leaves there."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name: str, version: str, **groups: dict[str, str]) -> None:
        info = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = []
        for group, points in groups.items():
            lines += [f"[steadyhand.{group}]", *(f"{point} = {target}" for point, target in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines))

    return install


def refused(plugins: Plugins, **changes: Any) -> str:
    with pytest.raises(InvalidConfig) as error:
        validate(raw_config(**changes), plugins)
    [problem] = error.value.problems
    return str(problem)


def test_an_unknown_name_lists_those_of_plugins_too(distribution: Distribution) -> None:
    distribution("channels", "1.0", entries={"BreakoutEntry": "channels:Entry"}, exits={"ChannelExit": "channels:Exit"})
    problem = refused(Plugins(), strategy__parameters__entry_logic__name="Zzz")
    assert problem == (
        "strategy.parameters.entry_logic.name: unknown entry logic 'Zzz'; "
        f"expected one of {', '.join(ENTRIES)}, BreakoutEntry"
    )


def test_the_catalogue_keeps_its_names(distribution: Distribution) -> None:
    distribution("thief", "1.0", entries={"RSIBBVolumeEntryMixin": "thief:Entry"})
    with capture_logs() as logs:
        plugins = Plugins()
    assert plugins.names("entry") == []
    assert [line["event"] for line in logs] == ["a plugin's name is the catalogue's, which is used"]
    config = validate(raw_config(), plugins)
    assert build_strategy(config.strategy, plugins) is build_strategy(config.strategy)
    assert plugins.pids == frozenset()


def test_of_two_plugins_with_one_name_the_first_is_used_and_the_other_is_told(distribution: Distribution) -> None:
    distribution("alpha", "1.0", entries={"Same": "alpha:Entry"})
    distribution("beta", "1.0", entries={"Same": "beta:Entry"})
    with capture_logs() as logs:
        plugins = Plugins()
    assert plugins.names("entry") == ["Same"]
    assert [(line["used"], line["ignored"]) for line in logs] == [("alpha", "beta")]


@pytest.mark.parametrize(
    ("modules", "name", "allowed"),
    [
        ((), "mine.fast:Entry", "STEADYHAND_PLUGIN_MODULES names none"),
        (("yours",), "mine.fast:Entry", "STEADYHAND_PLUGIN_MODULES names yours"),
        (("mine.fas",), "mine.fast:Entry", "STEADYHAND_PLUGIN_MODULES names mine.fas"),
    ],
)
def test_a_path_that_no_setting_allows_is_not_loaded(modules: tuple[str, ...], name: str, allowed: str) -> None:
    plugins = Plugins(modules=modules)
    problem = refused(plugins, strategy__parameters__entry_logic__name=name)
    assert f"entry logic 'mine.fast:Entry' may not be loaded: {allowed}. Known: RSIBBVolumeEntryMixin, " in problem
    assert plugins.pids == frozenset()


@pytest.mark.parametrize("allowed", ["unruly_one", "tests.plugins"])
def test_a_path_inside_an_allowed_module_is_loaded(zoo: Zoo, allowed: str) -> None:
    module = zoo.module("unruly_one") if allowed == "unruly_one" else "tests.plugins.unruly.unruly_logics"
    plugins = zoo.open(allowed)
    strategy = build_strategy(
        validate(raw_config(strategy__parameters=zoo.logics(module, "")), plugins).strategy, plugins
    )
    assert strategy.entry_logic.name == f"{module}:UnrulyEntry"


@pytest.mark.parametrize("name", ["os:system('x')", "a b:C", "mine:", ":Entry", "mine:Entry.inner", "../mine:Entry"])
def test_what_is_no_path_is_a_name_like_any_other(name: str) -> None:
    plugins = Plugins(modules=["os", "mine", "a"])
    assert not plugins.has("entry", name)
    assert plugins.hint(name) is None


def test_a_logic_that_cannot_be_made_of_valid_parameters_is_a_problem_of_the_configuration(zoo: Zoo) -> None:
    logic = {"name": "unruly_kinds:Picky", "params": {}}
    problem = refused(zoo.open("unruly_kinds"), strategy__parameters__entry_logic=logic)
    assert problem.startswith(
        "strategy.parameters: unruly_kinds:Picky of unruly_kinds: FileNotFoundError: no such model"
    )


def test_a_command_checks_a_configuration_as_a_worker_does(zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the end the fixture sees to it that no process is left of the check."""
    monkeypatch.setenv("STEADYHAND_PLUGIN_MODULES", "other, unruly_logics")
    logics = zoo.logics("unruly_logics", "")
    assert validate_by_command(raw_config(strategy__parameters=logics)).strategy.logics[0].name == (
        "unruly_logics:UnrulyEntry"
    )
    logics["entry_logic"]["params"]["e_rsi_perod"] = 5
    with pytest.raises(InvalidConfig, match="e_rsi_perod: unknown parameter; did you mean e_rsi_period"):
        validate_by_command(raw_config(strategy__parameters=logics))


def test_parameters_that_the_catalogue_has_none_like_are_described_as_far_as_they_can_be(
    zoo: Zoo, distribution: Distribution
) -> None:
    distribution("kinds", "1.0", entries={"Odd": "unruly_kinds:Odd", "Gone": "unruly_kinds:Gone"})
    described = {logic.name: logic.parameters for logic in describe(zoo.open())}
    assert "Gone" not in described
    words, anything, maybe, level, either = described["Odd"]
    assert (words.type, words.default) == ("array", None)
    assert (anything.type, anything.default) == ("object", {})
    assert (maybe.type, maybe.default, maybe.minimum, maybe.maximum) == ("number", None, 1, 9)
    assert level.choices == ("1", "2")
    assert (either.type, either.default) == ("object", 3)
