"""The base of exits that judge each candle by its indicators alone."""

from domain.decisions import ExitState, Scalar
from strategies.exit_logic import EntryPoint, ExitLogic, ExitSeries
from strategies.logic import P


class MemorylessExit(ExitLogic[P, None]):
    """Remembers nothing of a position, and has no stop."""

    def begin(self, series: ExitSeries, i: int | None, entry: EntryPoint) -> None:
        """Start with nothing."""

    def advance(self, memory: None, series: ExitSeries, i: int, entry: EntryPoint) -> None:
        """Go on with nothing."""

    def remember(self, memory: None) -> tuple[dict[str, Scalar], float | None]:
        """Write nothing."""
        del memory
        return {}, None

    def recall(self, state: ExitState) -> None:
        """Read nothing."""
