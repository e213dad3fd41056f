"""Adoption that is begun anew while the venue is being asked."""

from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.adoption import Found
from domain.config import parse_config
from domain.state import BotState
from tests.support.bots import LIVE, bot_row
from tests.support.fakes import BTC
from workflows.adopting import Adoption


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> BotState:
    monkeypatch.setattr("workflows.adopting.workflow.now", lambda: datetime(2026, 1, 1, tzinfo=UTC))
    return BotState(row=bot_row("rsi", **LIVE))


async def answered(state: BotState, monkeypatch: pytest.MonkeyPatch, *, news: bool) -> tuple[bool, str | None]:
    """Ask the venue once; the answer comes, with news in the same breath perhaps that the history has gone back."""
    nobody: Any = None
    adoption = Adoption(state, nobody, nobody, nobody, nobody, continued=True)

    async def unless(_overtaken: object, question: Coroutine[Any, Any, Found]) -> Found:
        question.close()
        if news:
            adoption.begin_anew()
        return Found(run_id="the-run", orders=())

    monkeypatch.setattr("workflows.adopting.unless", unless)
    done = await adoption.done(parse_config(state.row.config), BTC, overtaken=lambda: False)
    return done, state.adopted_run


async def test_an_answer_is_taken(state: BotState, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await answered(state, monkeypatch, news=False) == (True, "the-run")


async def test_an_answer_to_a_question_from_before_the_history_went_back_is_not(
    state: BotState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restored server has the answer still to be heard; the signal of the new worker comes with it."""
    assert await answered(state, monkeypatch, news=True) == (False, None)
