"""A plugin whose one bot breaks the process a moment after it has answered, while another is being served."""

import os
import threading
import time

from domain.candles import Candles
from strategies.conditions import VectorCondition
from tests.plugins.unruly.unruly_logics import UnrulyEntry


class LateEntry(UnrulyEntry):
    def conditions(self, candles: Candles) -> tuple[VectorCondition, ...]:
        if self.params.mode == "late":
            threading.Timer(0.3, lambda: os._exit(7)).start()
        else:
            time.sleep(1.0)
        return super().conditions(candles)
