"""One bot's judgement of the market: views of the feed in, decisions out. Pure; it waits for nothing.

Order on every closed candle: risk exits first, then the strategy's exit, then the entry. An entry and an exit never
act on the same candle, and an entry acts only on the newest closed candle, while it is younger than one interval.
"""

from activities.deciding import Decisions, Rule, level_rule
from activities.exit_states import entry_point, first_state, midway_state, newest
from activities.glance import (
    Breach,
    candle_price,
    candles_between,
    current_price,
    first_breach,
    first_traded_through,
    with_limit,
)
from domain.decisions import MANUAL_CLOSE, MANUAL_OPEN, Condition, Decision, ExitLevels, ExitState, LevelRule
from domain.intervals import next_open
from domain.levels import bid, exit_levels, is_off, protective_stop
from domain.model import Price
from domain.ports import LevelHit, MarketView
from domain.positions import Position
from domain.watch import Sighting, WatchRequest, WatchResult
from risk.limits import Refusal, entry_refusal, sized_entry
from strategies.custom import AnyStrategy


class Watcher:
    """What a bot thinks of each view of its market. It remembers its exit state and what it saw last.

    Attributes:
        closed: why no entry may be made now, whatever the bot itself says, or None. The watch sets it before each look.
    """

    def __init__(self, request: WatchRequest, strategy: AnyStrategy | None, *, cached: ExitState | None) -> None:
        """Start from the request, or from a newer exit state that an earlier attempt has left behind.

        Args:
            strategy: None when only the levels are guarded.
        """
        self._request = request
        self._decisions = Decisions(request)
        self._strategy = strategy
        self._position = request.book.position
        self._exit_state = newest(request.exit_state, cached) if self._position else None
        self.seen: int | None = None
        self.closed: str | None = None
        self.lost_candles = 0
        self.sighting = Sighting(levels=self.levels, exit_state=self._exit_state)

    @property
    def levels(self) -> ExitLevels:
        """The prices to be woken at; none while flat, with no order that rests."""
        request, order = self._request, self._request.limit
        levels = ExitLevels()
        if self._position is not None:
            levels = exit_levels(request.config, self._position, self._exit_state, guarding=request.guard_only)
        return levels if order is None else with_limit(levels, order, request.instrument.tick_size)

    @property
    def opened(self) -> int | None:
        """The moment of the newest entry or order: what was before it touches no level. None when there is neither."""
        moments = [self._position.entered_at] if self._position else []
        return max([*moments, *(order.since for order in self._request.resting)], default=None)

    def guard(self) -> "Watcher":
        """Return one that knows the same levels and has seen the same, and runs no strategy's code."""
        guard = Watcher(self._request, None, cached=self._exit_state)
        guard.sighting = self.sighting
        return guard

    def due_in(self, view: MarketView) -> float | None:
        """Return the seconds of the venue's clock until a limit order has rested long enough; None: none rests."""
        order = self._request.limit
        return None if order is None or order.until is None else max(order.until - view.now, 0) / 1000

    def result(self, outcome: str, **fields: object) -> WatchResult:
        """Return what the watch hands back to its workflow."""
        return WatchResult.model_validate(
            {
                "outcome": outcome,
                "exit_state": self._exit_state,
                "sighting": self.sighting,
                "lost_candles": self.lost_candles,
                "plugins": (self._strategy and self._strategy.plugins) or None,
                **fields,
            }
        )

    def on_command(self, view: MarketView) -> WatchResult | None:
        """Carry out a person's command at the current price; None while no price is known."""
        price = current_price(view)
        if self._request.command is None or price is None:
            return None
        if self._request.command == "open":
            return self._open_now(view, price)
        if self._position is None:
            return self.result("refused", reason="there is no position to close")
        return self._exit_now(view, self._position, self._request.command_reason or MANUAL_CLOSE, price)

    def on_level(self, view: MarketView, hit: LevelHit) -> WatchResult | None:
        """Leave the position because a price between candles has reached a level, or say that a limit is reached."""
        if hit.rule in ("limit_buy", "limit_sell"):
            return self._reached(view, hit.at)
        if self._position is None:
            return None
        rule = self._rule(hit.rule, self._position)
        self._see(view, verdict=f"{rule.name} at {hit.price:f}")
        return self._decide(self._decisions.exit_at_level(self._position, hit, rule))

    def on_time(self, view: MarketView) -> WatchResult | None:
        """Say that the limit order which rests is filled, on paper, or has rested long enough, or is not to rest on."""
        order = self._request.limit
        if order is None:
            return None
        end = first_traded_through(view.candles, order, self._interval) if order.paper else None
        if end is not None and not self._stopped_by(view, end):
            return self._reached(view, end)
        if self.closed and order.side == "buy":
            return self.result("overdue", reason=self.closed)
        return self.result("overdue") if self.due_in(view) == 0 else None

    def on_candle(self, view: MarketView) -> WatchResult | None:
        """Judge the newest closed candle; in a position also every candle that was missed before it.

        Runs the strategy's code, so it may raise anything.
        """
        if not len(view.candles):
            self._see(view, verdict="waiting for candles")
            return None
        before = self._exit_state
        try:
            result = self._judge(view, self._strategy) if self._strategy else self._guard(view)
        except Exception:
            self._exit_state = before  # what was folded in vain has decided nothing: it is folded again
            raise
        self.seen = int(view.candles.open_time[-1])
        if result is None and self._request.recovering:
            return self.result("recovered")
        return result or self._unprotected()

    def _guard(self, view: MarketView) -> WatchResult | None:
        """Look at the closed candles for stop and target only."""
        position = self._position
        breach = self._breach(view, position) if position else None
        if position is not None and breach is not None:
            return self._leave(view, position, breach)
        why = "an exit order rests" if self._request.leaving else "the strategy has failed"
        self._see(view, verdict=f"{why}: only the levels are guarded")
        return None

    def _judge(self, view: MarketView, strategy: AnyStrategy) -> WatchResult | None:
        position = self._position
        if position is not None:
            result = self._judge_exit(view, strategy, position)
            if result is not None or position.entries >= self._request.config.trading.max_positions:
                return result
        return self._judge_entry(view, strategy)

    # exits

    def _judge_exit(self, view: MarketView, strategy: AnyStrategy, position: Position) -> WatchResult | None:
        candles, entry = view.candles, entry_point(position)
        state, oldest = self._exit_state, int(candles.open_time[0])
        if state is None or not strategy.state_belongs(state):
            state = strategy.start_exit(candles, entry)
        if state.folded < oldest:
            self.lost_candles = candles_between(state.folded, oldest, self._interval)
        outcome = strategy.fold_exit(candles, state, entry)
        breach, fired = self._breach(view, position), outcome.exit
        self._exit_state = outcome.state
        if breach is not None and (fired is None or (breach.closes and breach.candle_time <= fired.candle_time)):
            return self._leave(view, position, breach, outcome.conditions)
        if fired is not None:
            self._see(view, verdict=fired.reason, conditions=outcome.conditions)
            rule = Rule(fired.rule)
            return self._decide(self._decisions.exit_on_candle(position, view, rule, fired.candle_time))
        self._see(view, verdict="in position: no exit rule holds", conditions=outcome.conditions)
        return None

    def _leave(
        self, view: MarketView, position: Position, breach: Breach, conditions: tuple[Condition, ...] = ()
    ) -> WatchResult:
        rule = self._rule(breach.rule, position)
        self._see(view, verdict=f"{rule.name} on a closed candle", conditions=conditions)
        return self._decide(self._decisions.exit_on_candle(position, view, rule, breach.candle_time))

    def _rule(self, level: LevelRule, position: Position) -> Rule:
        return level_rule(level, position, self._exit_state, self._request.instrument)

    def _breach(self, view: MarketView, position: Position) -> Breach | None:
        """Return the first level that a candle which was not judged yet has reached."""
        since = self._exit_state.folded if self._exit_state else position.signal_time
        return first_breach(view.candles, self.levels, since=since, entered_at=position.entered_at)

    def _exit_now(self, view: MarketView, position: Position, reason: str, price: Price) -> WatchResult:
        self._see(view, verdict=reason)
        return self._decide(self._decisions.exit_now(position, view, reason, price))

    def _unprotected(self) -> WatchResult | None:
        """Have the stop at the exchange moved, when the exit rule has moved its own."""
        request = self._request
        if self._position is None or request.limit is not None:
            return None
        # Asked first: levels are exact arithmetic, and most bots have no stop there.
        wanted = protective_stop(self.levels, request.config, request.instrument) if request.config.protected else None
        return self.result("unprotected") if is_off(request.stop_tried, wanted) else None

    def _stopped_by(self, view: MarketView, end: int) -> bool:
        """Whether a candle that had ended by then shows the stop of a position that is being sold: it counts first."""
        breach = self._breach(view, self._position) if self._position and self._request.leaving else None
        return breach is not None and next_open(breach.candle_time, self._interval) <= end

    def _reached(self, view: MarketView, at: int) -> WatchResult:
        self._see(view, verdict="the market has traded through the limit")
        return self.result("reached", reached_at=at)

    # entries

    def _judge_entry(self, view: MarketView, strategy: AnyStrategy) -> WatchResult | None:
        request, candle = self._request, int(view.candles.open_time[-1])
        verdict = strategy.entry(view.candles)
        obstacle = self._entry_obstacle(view, candle)
        if not verdict.signal or obstacle:
            missing = f"waiting for candles: {', '.join(verdict.waiting_for)}" if verdict.waiting_for else ""
            self._see(view, verdict=obstacle or missing or "no entry signal", conditions=verdict.conditions)
            return None
        price = candle_price(view)
        refusal = entry_refusal(request.config, request.book, request.guards, price=price, moment=view.now)
        offered = bid(request.config, request.instrument, price)
        sized = refusal or sized_entry(request.config, request.book, request.instrument, offered)
        if isinstance(sized, Refusal):
            self._see(view, verdict=f"entry signal, but {sized.reason}", conditions=verdict.conditions)
            return self._limited(view, sized)
        self._see(view, verdict="entry signal", conditions=verdict.conditions)
        state = self._exit_state
        if self._position is None:
            state = first_state(view, strategy, price)
        return self._decide(self._decisions.enter(view, strategy.entry_logic.name, price, sized, state))

    def _entry_obstacle(self, view: MarketView, candle: int) -> str | None:
        """Return why no entry may act on this candle, whatever the signal says."""
        if gate := self._request.gate or self.closed:
            return gate
        if view.stale:
            return "market data is stale"
        if candle <= self._request.acted_candle:
            return "this candle has been acted on"
        closed_at = next_open(candle, self._interval)
        if view.now >= next_open(closed_at, self._interval):
            return "the newest closed candle is older than one interval"
        return None

    def _limited(self, view: MarketView, refusal: Refusal) -> WatchResult | None:
        today = self._request.guards.on_day(view.now).day
        if refusal.alert and self._request.guards.alerted_day != today:
            return self.result("limited", reason=refusal.reason)
        return None

    def _open_now(self, view: MarketView, price: Price) -> WatchResult | None:
        request = self._request
        refusal = entry_refusal(request.config, request.book, request.guards, price=price, moment=view.now)
        sized = refusal or sized_entry(request.config, request.book, request.instrument, price)
        if obstacle := request.gate or self.closed or ("market data is stale" if view.stale else None):
            return self.result("refused", reason=obstacle)
        if isinstance(sized, Refusal):
            return self.result("refused", reason=sized.reason)
        if self._strategy is None:
            return self.result("refused", reason="there is no strategy that could close the position")
        if not len(view.candles):
            return None  # the exit rule starts from candles: they are on their way
        self._see(view, verdict=MANUAL_OPEN)
        state = self._exit_state or midway_state(view, self._strategy, price, self._interval)
        return self._decide(self._decisions.enter_now(view, price, sized, state))

    # what is seen

    def _decide(self, decision: Decision) -> WatchResult:
        return self.result("decision", decision=decision)

    def _see(self, view: MarketView, *, verdict: str, conditions: tuple[Condition, ...] = ()) -> None:
        self.sighting = Sighting(
            venue_time=view.now,
            candle_time=int(view.candles.open_time[-1]) if len(view.candles) else None,
            price=current_price(view),
            verdict=verdict,
            conditions=conditions,
            levels=self.levels,
            stale=view.stale,
            exit_state=self._exit_state,
        )

    @property
    def _interval(self) -> str:
        return self._request.config.data.interval
