"""Buy where a rule holds that stands in the bot's row."""

from domain.candles import Candles
from strategies.arrays import Flags
from strategies.conditions import Check, VectorCondition, explained
from strategies.logic import EntryLogic, EntryVerdict, Parameters
from strategies.rules.parameters import EntryRule
from strategies.rules.program import candles_needed
from strategies.rules.rule import read_rule


class RuleEntryParams(Parameters):
    """Parameters of `RuleEntryMixin`."""

    rule: EntryRule


class RuleEntryMixin(EntryLogic[RuleEntryParams]):
    """Buy where the rule holds: any comparison of prices, volume and indicators, joined by all, any and not.

    For example {"all": [{"left": "rsi(14)", "op": "<=", "right": 30}, {"left": "close", "op": "crosses_above",
    "right": "ema(50)@4h"}]}.
    """

    Params = RuleEntryParams

    def __init__(self, params: RuleEntryParams) -> None:
        super().__init__(params)
        self._rule = read_rule(params.rule, of_exit=False)

    @property
    def warmup(self) -> int:
        """The longest of its indicators', those on longer intervals left out: see `warmup_for`."""
        return self._rule.needs.get("", 1)

    def warmup_for(self, interval: str) -> int:
        """Return how many candles of `interval` it needs, those for longer intervals included.

        Raises:
            ValueError: a longer interval is no multiple of `interval`, or they are too many.
        """
        return candles_needed(self._rule.needs, interval)

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        """Return all comparisons of the rule, however it joins them."""
        values = self._rule.program.run(candles)
        return tuple(leaf.condition(values, len(candles)) for leaf in self._rule.leaves)

    def signals(self, candles: Candles) -> Flags:
        """Return for each candle whether the rule holds."""
        return self._rule.flags(candles)

    def verdict(self, candles: Candles) -> EntryVerdict:
        """Judge the newest candle; it waits for what has no value yet, unless another of an `any` holds."""
        checks = self._checks(candles, -1)
        return EntryVerdict(self._rule.holds(checks), explained(checks), self._rule.waiting(checks))

    def _checks(self, candles: Candles, i: int) -> tuple[Check, ...]:
        if len(candles) == 0:
            return ()
        values, place = self._rule.program.run(candles), i % len(candles)
        return tuple([leaf.check(values, place) for leaf in self._rule.leaves])
