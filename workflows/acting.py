"""What comes of a watch: a decision is carried out, a failure waited out, everything else noted."""

from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.config import BotConfig
    from domain.decisions import Decision
    from domain.instruments import Instrument
    from domain.state import BotState
    from domain.watch import WatchResult
    from workflows.adopting import Adoption
    from workflows.command import Answer, Wishes
    from workflows.desk import Desk
    from workflows.outbox import Outbox
    from workflows.resting import Resting
    from workflows.stance import backoff_seconds, gate
    from workflows.standing import Standing


class Acting:
    """Acts on what watches return."""

    def __init__(
        self,
        state: BotState,
        *,
        outbox: Outbox,
        wishes: Wishes,
        desk: Desk,
        resting: Resting,
        adoption: Adoption,
        standing: Standing,
        interrupted: Callable[[], bool],
    ) -> None:
        """Act for one bot.

        Args:
            interrupted: something has come in that is to be handled before a pause is over.
        """
        self._state = state
        self._outbox = outbox
        self._wishes = wishes
        self._desk = desk
        self._resting = resting
        self._adoption = adoption
        self._standing = standing
        self._interrupted = interrupted

    async def act_on(self, result: WatchResult, config: BotConfig, instrument: Instrument) -> None:
        """Do what a watch asks for."""
        self._see(result)
        if result.decision is not None:
            await self._decide(result.decision, config, instrument)
        elif result.outcome == "overdue":
            await self._resting.give_up(config, instrument, why=result.reason)
        elif result.outcome == "failed":
            await self.stumble(f"strategy: {result.reason}", config=config)
            return
        else:
            self._note(result, config, instrument)
        self._state.guarding = False  # the pause is over: try the strategy again

    def _note(self, result: WatchResult, config: BotConfig, instrument: Instrument) -> None:
        if result.outcome == "limited":
            self._standing.limited(result, config)
        elif result.outcome == "refused":
            self._wishes.answer(Answer(done=False, text=result.reason or "refused"))
        elif result.outcome == "recovered":
            self._standing.recovered()
        elif result.outcome == "differs":
            self._adoption.suspect(result.reason or "", config)
        elif result.outcome == "reached":
            self._resting.reached(result.reached_at or 0, config, instrument)
        elif result.outcome == "segment":
            self._state.suspected = None
            self._resting.forget_refusal()

    def _see(self, result: WatchResult) -> None:
        """Take over what a watch has seen, whatever it ended with."""
        state = self._state
        if result.sighting.candle_time is not None or result.sighting.price is not None:
            state.sighting = result.sighting
        if result.lost_candles:
            text = f"{result.lost_candles} candles were missed for good; the exit rule goes on without them"
            self._outbox.event("candles_lost", text, severity="warning")
        if state.carried.book.position is not None and result.exit_state is not None:
            state.carry(exit_state=result.exit_state)
        self._note_plugins(result)

    def _note_plugins(self, result: WatchResult) -> None:
        """Note by which plugins the position was entered, and by which it is to be left: the last that was asked."""
        carried, exit_ = self._state.carried, (result.plugins or {}).get("exit")
        if carried.book.position is not None:
            if exit_ is not None:
                self._state.carry(plugins={**(carried.plugins or {}), "exit": exit_})
        elif result.plugins or result.decision:
            self._state.carry(plugins=result.plugins)

    async def _decide(self, decision: Decision, config: BotConfig, instrument: Instrument) -> None:
        if not self._adoption.is_done(config):
            return  # what the venue knows comes first; the next watch decides anew
        meant = self._wishes.command is not None and self._wishes.command.meant(decision)
        obstacle = self._desk.accept(decision, gate=gate(self._state, journal_full=self._outbox.full))
        if obstacle is not None:
            workflow.logger.info("decision %s dropped: %s", decision.key, obstacle)
            answer = Answer(done=False, text=obstacle)
        elif decision.action == "exit":
            await self.carry_exit(config, instrument)
            return
        else:
            answer = await self._desk.enter(decision, config, instrument)
        if meant:
            self._wishes.answer(answer)

    async def carry_exit(self, config: BotConfig, instrument: Instrument) -> None:
        """Carry a latched exit through; what cannot be sold now is tried again after a pause."""
        text = await self._desk.exit(config, instrument)
        stuck = self._desk.exit_latched() and self._state.resting is None
        if self._wishes.command is not None and self._wishes.command.order == "close":
            self._wishes.answer(Answer(done=not stuck, text=f"{text}; it is tried again" if stuck else text))
        if stuck:
            self._desk.let_go(config, instrument)
            await self.stumble(text, config=config)

    async def stumble(self, reason: str, *, config: BotConfig | None = None) -> None:
        """Note a failure and wait longer each time; meanwhile the levels of an open position stay guarded."""
        self._standing.failed(reason, config)
        if config is not None and not self._desk.exit_latched():
            self._state.guarding = True
            return
        try:
            await workflow.wait_condition(
                self._interrupted,
                timeout=timedelta(seconds=backoff_seconds(self._state)),
                timeout_summary="a pause after a failure",
            )
        except TimeoutError:
            workflow.logger.info("trying again after: %s", reason)
