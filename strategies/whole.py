"""What a whole strategy is, for plugins that bring one: an entry and an exit with the same parameters."""

from typing import Generic

from strategies.entry_logic import EntryLogic
from strategies.exit_logic import ExitLogic, M
from strategies.logic import P


class Strategy(EntryLogic[P], ExitLogic[P, M], Generic[P, M]):
    """Both logics in one class: the abstract methods of each, one `Params`, one `warmup`.

    `steadyhand.strategies` lists such classes; a bot names one in `strategy.type`, and its parameters stand directly
    in `strategy.parameters`.
    """
