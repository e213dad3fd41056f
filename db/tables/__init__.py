"""The tables. The migrations make them; a test proves that both agree, down to the last constraint.

The books of a bot outlive its row: `bot_id` becomes NULL when the row is deleted, `bot_uid` stays.
"""

from db.base import Base
from db.tables.books import (
    TradeType,
    TradingFill,
    TradingOrder,
    TradingPerformanceMetrics,
    TradingPosition,
    TradingTrade,
)
from db.tables.bots import ConfigVersion, TradingBot, TradingHalt
from db.tables.credentials import BrokerCredentials
from db.tables.messages import BotEvent, Notification

__all__ = [
    "BotEvent",
    "BrokerCredentials",
    "ConfigVersion",
    "Notification",
    "TradeType",
    "TradingBot",
    "TradingFill",
    "TradingHalt",
    "TradingOrder",
    "TradingPerformanceMetrics",
    "TradingPosition",
    "TradingTrade",
    "metadata",
]

metadata = Base.metadata
