"""A short chaos run: every event at least once, and nothing lost, doubled or forgotten."""

from tests.chaos.events import SHORT
from tests.chaos.run import Plan, run


async def test_whatever_fails_every_order_is_sent_once_and_booked_once() -> None:
    outcome = await run(Plan(seed=7, intents=25, bots=10, pace=SHORT))
    print(outcome.line)
    assert outcome.findings.all == []
    assert outcome.orders >= 10
