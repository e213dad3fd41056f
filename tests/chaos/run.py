"""One chaos run, from the first order to the verdict."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.service import RPCError

from domain.errors import StoreUnavailable
from domain.queues import workflow_id
from tests.chaos.audit import KINDS, Findings, audit, doubled
from tests.chaos.cast import cast
from tests.chaos.events import LONG, Pace, deck, schedule
from tests.chaos.evidence import Snapshot, count_intents, gather
from tests.chaos.faults import mix
from tests.chaos.havoc import Havoc
from tests.chaos.person import wish_forever
from tests.chaos.scene import Scene, set_up

# The first order must have come within so many seconds.
_START_SECONDS = 120.0
_LOOK_SECONDS = 2.0
# Whoever does not get that far in so long never will.
_LONGEST_SECONDS = 1_800.0


@dataclass(frozen=True)
class Plan:
    """What a run is to be.

    Attributes:
        home: where its files stay; None for a temporary directory.
        settle: from the end of the faults on, everything must have come to rest within so many seconds.
    """

    seed: int
    intents: int
    bots: int = 20
    pace: Pace = LONG
    home: Path | None = None
    settle: float = 120.0


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    seed: int
    intents: int
    orders: int
    fills: int
    findings: Findings = field(default_factory=Findings)

    @property
    def line(self) -> str:
        """The last line of a run, as JSON."""
        counts = {kind: len(getattr(self.findings, kind)) for kind in KINDS}
        figures = {"seed": self.seed, "intents": self.intents, "orders": self.orders, "fills": self.fills}
        return json.dumps(figures | counts)

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings.all


async def run(plan: Plan, say: Callable[[str], None] = print) -> Outcome:
    """Let the bots trade while everything fails, then let everything settle, and audit."""
    began = time.monotonic()

    def tell(text: str) -> None:
        say(f"[{time.monotonic() - began:4.0f} s] {text}")

    tell(f"seed {plan.seed}: {plan.bots} bots, at least {plan.intents} order intents")
    faults, chance = mix(plan.seed), random.Random(f"events {plan.seed}")
    async with set_up(cast(plan.bots), seed=plan.seed, home=plan.home) as scene:
        await _wait_for_intents(scene, 1)
        havoc = Havoc(scene, chance, plan.pace, faults, tell)
        await scene.venue.set_faults(faults)
        await _fail(scene, havoc, plan, chance, tell)
        await havoc.relent()
        await scene.venue.set_faults([])
        tell(f"faults off: {scene.venue.tally}")
        snapshot = await _settle(scene, plan.settle, tell)
        if plan.home is not None:
            (plan.home / "ledger.json").write_text((await scene.venue.ledger()).model_dump_json(indent=1))
    return _outcome(plan, snapshot)


async def _fail(scene: Scene, havoc: Havoc, plan: Plan, chance: random.Random, tell: Callable[[str], None]) -> None:
    """Let every event happen once at least, and go on until there were enough intents, or something was done twice."""
    wishes = random.Random(f"wishes {plan.seed}")
    beside = [
        asyncio.create_task(havoc.kill_forever()),
        asyncio.create_task(wish_forever(scene, wishes, plan.pace.wish)),
    ]
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            intents = 0
            for number, event in enumerate(schedule(chance), start=1):
                if number > _EVENTS and intents >= plan.intents:
                    return
                await asyncio.sleep(chance.uniform(*plan.pace.pause))
                await havoc.carry_out(event)
                intents = await count_intents(scene) or intents
                tell(f"{intents} intents so far")
                if await _is_doubled(scene):
                    tell("something was done twice: no need to go on")
                    return
                for task in beside:
                    if task.done():
                        task.result()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)


_EVENTS = len(deck(random.Random(0)))


async def _is_doubled(scene: Scene) -> bool:
    ledger = await scene.venue.ledger()
    return any(doubled(member, ledger.of(member.bot_id)) for member in scene.members)


async def _settle(scene: Scene, seconds: float, tell: Callable[[str], None]) -> Snapshot:
    """Have no more bought, and look until nothing is on its way and nothing is wrong, or the time is up."""
    deadline = time.monotonic() + seconds
    waiting = {member.bot_id for member in scene.members}
    while True:
        for bot_id in sorted(waiting):
            with suppress(RPCError):
                await scene.client.get_workflow_handle(workflow_id(bot_id)).signal("pause")
                waiting.discard(bot_id)
        snapshot = None
        with suppress(StoreUnavailable):
            snapshot = await gather(scene)
            wrong = len(audit(snapshot.bots).all)
            if snapshot.quiet and not wrong and not waiting:
                tell("settled")
                return snapshot
            tell(f"not settled: {wrong} findings{'' if snapshot.quiet else ', orders are on their way'}")
        if time.monotonic() > deadline and snapshot is not None:
            return snapshot
        await asyncio.sleep(_LOOK_SECONDS)


async def _wait_for_intents(scene: Scene, least: int) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while (await count_intents(scene) or 0) < least:
            await asyncio.sleep(_LOOK_SECONDS)


def _outcome(plan: Plan, snapshot: Snapshot) -> Outcome:
    bots = snapshot.bots
    return Outcome(
        seed=plan.seed,
        intents=sum(len(one.orders) for one in bots),
        orders=sum(len(one.ledger.orders) for one in bots),
        fills=sum(len(one.ledger.trades) for one in bots),
        findings=audit(bots),
    )
