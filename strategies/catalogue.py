"""The entry and exit logics that are formulas, by the names that configurations use."""

from collections.abc import Mapping

from strategies.entries.bb_volume_supertrend import BBVolumeSuperTrendEntryMixin
from strategies.entries.rsi_bb import RSIBBEntryMixin
from strategies.entries.rsi_bb_volume import RSIBBVolumeEntryMixin
from strategies.entries.rsi_ichimoku import RSIIchimokuEntryMixin
from strategies.entries.rsi_or_bb import RSIOrBBEntryMixin
from strategies.entries.rsi_volume_supertrend import RSIVolumeSupertrendEntryMixin
from strategies.entry_logic import AnyEntry
from strategies.exit_logic import AnyExit
from strategies.exits.advanced_atr import AdvancedATRExitMixin
from strategies.exits.atr import ATRExitMixin
from strategies.exits.fixed_ratio import FixedRatioExitMixin
from strategies.exits.ma_crossover import MACrossoverExitMixin
from strategies.exits.roi_table import RoiTableExitMixin
from strategies.exits.rsi_bb import RSIBBExitMixin
from strategies.exits.rsi_or_bb import RSIOrBBExitMixin
from strategies.exits.simple_atr import SimpleATRExitMixin
from strategies.exits.time_based import TimeBasedExitMixin
from strategies.exits.trailing_stop import TrailingStopExitMixin

_ENTRIES: tuple[type[AnyEntry], ...] = (
    RSIBBVolumeEntryMixin,
    RSIBBEntryMixin,
    RSIOrBBEntryMixin,
    RSIIchimokuEntryMixin,
    RSIVolumeSupertrendEntryMixin,
    BBVolumeSuperTrendEntryMixin,
)
_EXITS: tuple[type[AnyExit], ...] = (
    ATRExitMixin,
    SimpleATRExitMixin,
    FixedRatioExitMixin,
    TrailingStopExitMixin,
    RSIBBExitMixin,
    RSIOrBBExitMixin,
    MACrossoverExitMixin,
    TimeBasedExitMixin,
    RoiTableExitMixin,
    AdvancedATRExitMixin,
)

ENTRIES: Mapping[str, type[AnyEntry]] = {logic.__name__: logic for logic in _ENTRIES}
EXITS: Mapping[str, type[AnyExit]] = {logic.__name__: logic for logic in _EXITS}
