"""The parameters of `AdvancedATRExitMixin`, and what must be true of them together."""

import math
from itertools import pairwise
from typing import Annotated, Self, TypeAlias

from pydantic import Field, model_validator

from domain.config_errors import refuse
from domain.config_types import Interval
from strategies.logic import Parameters
from strategies.parameters import AnyMultiplier, Factor, Flag, Floor, Held, Multiplier, Period, Share

_MOST_LEVELS = 10
# Shares such as ten times 0.1 may add up to a little more than all in binary.
_ROUNDING = 1e-9

Levels: TypeAlias = Annotated[tuple[Multiplier, ...], Field(max_length=_MOST_LEVELS)]
Shares: TypeAlias = Annotated[tuple[Share, ...], Field(max_length=_MOST_LEVELS)]


class AdvancedATRParams(Parameters):
    """Parameters of `AdvancedATRExitMixin`. A is the range that all distances are measured in, R the first risk.

    The names are those that users have in their files, capitals and all.
    """

    k_init: Annotated[Multiplier, Field(description="Distance of the stop from the entry, in A: R = k_init × A.")] = 2.5
    k_run: Annotated[Multiplier, Field(description="Distance below the anchor once the stop is armed, in A.")] = 2.0
    k_phase2: Annotated[Multiplier, Field(description="Distance below the anchor in the second phase, in A.")] = 1.5
    p_fast: Annotated[Period, Field(description="Period of the fast average true range, in candles.")] = 7
    p_slow: Annotated[Period, Field(description="Period of the slow average true range, in candles.")] = 21
    use_htf_atr: Annotated[Flag, Field(description="Consider the range of a higher timeframe too.")] = True
    htf: Annotated[Interval, Field(description="The higher timeframe: a multiple of the candles' interval.")] = "4h"
    alpha_fast: Annotated[Multiplier, Field(description="Weight of the fast range.")] = 1.0
    alpha_slow: Annotated[Multiplier, Field(description="Weight of the slow range.")] = 1.0
    alpha_htf: Annotated[Multiplier, Field(description="Weight of the higher timeframe's range.")] = 1.0
    atr_floor: Annotated[Floor, Field(description="The least that A may be, in quote per unit of base.")] = 0.0
    arm_at_R: Annotated[Multiplier, Field(description="Profit, in R, that arms the stop: at least break-even.")] = 1.0  # noqa: N815
    breakeven_offset_atr: Annotated[AnyMultiplier, Field(description="How far above the entry that is, in A.")] = 0.0
    phase2_at_R: Annotated[Multiplier, Field(description="Profit, in R, that begins the second phase.")] = 2.0  # noqa: N815
    use_swing_ratchet: Annotated[Flag, Field(description="Raise the stop to below the latest swing low too.")] = True
    swing_lookback: Annotated[Period, Field(description="Candles whose lowest low that is.")] = 10
    struct_buffer_atr: Annotated[AnyMultiplier, Field(description="Distance below the swing low, in A.")] = 0.25
    tighten_if_stagnant_bars: Annotated[Held, Field(description="Candles without a new high before tightening.")] = 20
    tighten_k_factor: Annotated[Factor, Field(description="What the distance is multiplied by each time.")] = 0.8
    min_bars_between_tighten: Annotated[Held, Field(description="Candles between two tightenings.")] = 5
    pt_levels_R: Annotated[Levels, Field(description="Profits, in R, at which a part is sold; ascending.")] = (1.0, 2.0)  # noqa: N815
    pt_sizes: Annotated[Shares, Field(description="The parts, of the quantity first bought; at most 1 together.")] = (
        0.33,
        0.33,
    )

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        levels, sizes = self.pt_levels_R, self.pt_sizes
        if len(levels) != len(sizes):
            raise refuse(f"pt_levels_R and pt_sizes must have equally many values; were {len(levels)} and {len(sizes)}")
        if any(later <= earlier for earlier, later in pairwise(levels)):
            raise refuse(f"pt_levels_R must ascend; was {list(levels)}")
        if math.fsum(sizes) > 1 + _ROUNDING:
            raise refuse(f"pt_sizes must add up to at most 1; was {list(sizes)}, {math.fsum(sizes):g} together")
        if self.phase2_at_R < self.arm_at_R:
            raise refuse(f"phase2_at_R must be at least arm_at_R; were {self.phase2_at_R:g} and {self.arm_at_R:g}")
        return self
