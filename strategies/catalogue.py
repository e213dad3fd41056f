"""All entry and exit logics, by the names that configurations use."""

from collections.abc import Mapping

from strategies.entries.bb_volume_supertrend import BBVolumeSuperTrendEntryMixin
from strategies.entries.rsi_bb import RSIBBEntryMixin
from strategies.entries.rsi_bb_volume import RSIBBVolumeEntryMixin
from strategies.entries.rsi_ichimoku import RSIIchimokuEntryMixin
from strategies.entries.rsi_or_bb import RSIOrBBEntryMixin
from strategies.entries.rsi_volume_supertrend import RSIVolumeSupertrendEntryMixin
from strategies.exits.atr import ATRExitMixin
from strategies.logic import AnyEntry, AnyExit

_ENTRIES: tuple[type[AnyEntry], ...] = (
    RSIBBVolumeEntryMixin,
    RSIBBEntryMixin,
    RSIOrBBEntryMixin,
    RSIIchimokuEntryMixin,
    RSIVolumeSupertrendEntryMixin,
    BBVolumeSuperTrendEntryMixin,
)
_EXITS: tuple[type[AnyExit], ...] = (ATRExitMixin,)

ENTRIES: Mapping[str, type[AnyEntry]] = {logic.__name__: logic for logic in _ENTRIES}
EXITS: Mapping[str, type[AnyExit]] = {logic.__name__: logic for logic in _EXITS}
