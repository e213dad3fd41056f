"""Buy where a rule holds that stands in the bot's row."""

from domain.candles import Candles
from strategies.arrays import Flags
from strategies.conditions import Check, VectorCondition, explained
from strategies.entry_logic import EntryLogic, EntryVerdict
from strategies.logic import Parameters
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
        self._tree = read_rule(params.rule, of_exit=False)

    @property
    def warmup(self) -> int:
        """The longest of its indicators', those on longer intervals left out: see `warmup_at`."""
        return self._tree.needs.get("", 1)

    def warmup_at(self, interval: str) -> int:
        """Return how many candles of `interval` it needs, those for longer intervals included; see `misfit`."""
        return candles_needed(self._tree.needs, interval)

    def misfit(self, interval: str) -> str | None:
        """Return why it cannot work: a longer interval is no multiple of `interval`, or it needs too many candles."""
        try:
            candles_needed(self._tree.needs, interval)
        except ValueError as error:
            return str(error)
        return None

    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        """Return all comparisons of the rule, however it joins them."""
        values = self._tree.program.run(candles)
        return tuple(leaf.condition(values, len(candles)) for leaf in self._tree.leaves)

    def signals(self, candles: Candles) -> Flags:
        """Return for each candle whether the rule holds."""
        return self._tree.flags(candles)

    def verdict(self, candles: Candles) -> EntryVerdict:
        """Judge the newest candle; it waits for what has no value yet, unless another of an `any` holds."""
        checks, signal = self._checks(candles, -1)
        return EntryVerdict(signal, explained(checks), self._tree.waiting(checks))

    def _checks(self, candles: Candles, i: int) -> tuple[tuple[Check, ...], bool]:
        if len(candles) == 0:
            return (), False
        values, place = self._tree.program.run(candles), i % len(candles)
        checks = tuple([leaf.check(values, place) for leaf in self._tree.leaves])
        return checks, self._tree.holds(checks)
