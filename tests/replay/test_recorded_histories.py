import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.replay.record import HISTORIES
from workflows.bot import BotWorkflow

RECORDED = {path.stem: path.read_text() for path in sorted(HISTORIES.glob("*.json"))}


def test_there_are_recorded_lives() -> None:
    assert len(RECORDED) >= 5


@pytest.mark.parametrize("name", RECORDED)
async def test_a_recorded_life_replays_with_the_code_of_today(name: str) -> None:
    history = WorkflowHistory.from_json(f"bot-{name.partition('.')[0]}", RECORDED[name])
    replayer = Replayer(workflows=[BotWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(history)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_life_tells_nothing_of_the_machine_it_was_recorded_on(name: str) -> None:
    assert "stackTrace" not in RECORDED[name]
    assert "identity" not in RECORDED[name]
