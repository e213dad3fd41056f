"""What import-linter cannot see: the top-level modules."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"settings", "starter", "temporal_client", "worker"}


def imported(module: str) -> set[str]:
    tree = ast.parse((ROOT / f"{module}.py").read_text())
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("module", ["settings", "temporal_client"])
def test_what_every_room_may_use_imports_nothing_of_ours(module: str) -> None:
    assert not imported(module) & ROOMS


@pytest.mark.parametrize(
    ("module", "unwanted"), [("worker", {"cli", "simulator", "embedded", "starter"}), ("starter", {"worker", "db"})]
)
def test_the_composition_roots_stay_apart(module: str, unwanted: set[str]) -> None:
    assert not imported(module) & unwanted
