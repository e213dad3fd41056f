from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.replay.record import HISTORIES
from workflows.bot import BotWorkflow

RECORDED = sorted(HISTORIES.glob("*.json"))


def test_there_are_recorded_lives() -> None:
    assert len(RECORDED) >= 5


@pytest.mark.parametrize("path", RECORDED, ids=[path.stem for path in RECORDED])
async def test_a_recorded_life_replays_with_the_code_of_today(path: Path) -> None:
    history = WorkflowHistory.from_json(f"bot-{path.stem.partition('.')[0]}", path.read_text())
    replayer = Replayer(workflows=[BotWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(history)


@pytest.mark.parametrize("path", RECORDED, ids=[path.stem for path in RECORDED])
def test_a_recorded_life_tells_nothing_of_the_machine_it_was_recorded_on(path: Path) -> None:
    text = path.read_text()
    assert "stackTrace" not in text
    assert "identity" not in text
