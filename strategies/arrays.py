"""The arrays that strategies compute with: one value per candle."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
"""Prices, volumes, indicators; NaN where there is no value yet."""

Flags: TypeAlias = NDArray[np.bool_]
"""Whether something holds."""

Indexes: TypeAlias = NDArray[np.intp]
"""Places of candles among others."""
