"""The JSON of the market endpoints, field by field as Binance sends it."""

from collections.abc import Callable, Collection
from functools import cache
from typing import Any

from domain.intervals import interval_ms, next_open
from simulator.candles import Candle
from simulator.exchange import Market
from simulator.rules import (
    AVERAGE_PRICE_MINUTES,
    MAX_ALGO_ORDERS,
    MAX_NOTIONAL,
    MAX_ORDERS,
    PERCENT_DOWN,
    PERCENT_UP,
    SymbolRules,
)
from simulator.weight import LIMIT_PER_MINUTE, ORDERS_PER_10_SECONDS, ORDERS_PER_DAY

_DECIMALS = 8
# Counts of trades are made up: one for every so many units of quote currency.
_QUOTE_PER_TRADE = 500.0


def number(units: int, decimals: int) -> str:
    """Return units of 10**-decimals as a decimal number with eight decimals."""
    if not decimals:
        return f"{units}.00000000"
    sign, units = ("-", -units) if units < 0 else ("", units)
    whole, rest = divmod(units, 10**decimals)
    return f"{sign}{whole}.{rest:0{decimals}d}{'0' * (_DECIMALS - decimals)}"


@cache
def candle_writer(interval: str, price_decimals: int, volume_decimals: int) -> Callable[[Candle], str]:
    """Return what turns a candle of `interval` into the venue's array of twelve, as JSON."""
    length = interval_ms(interval)
    scale = 10.0 ** -(price_decimals + volume_decimals)
    month = interval.endswith("M")

    def write(candle: Candle) -> str:
        opened = candle.open_time
        closed = (next_open(opened, interval) if month else opened + length) - 1
        prices = '","'.join(number(price, price_decimals) for price in candle[1:5])
        quote = candle.quote * scale
        share = _buyers_share(candle)
        bought = number(int(candle.volume * share), volume_decimals)
        return (
            f'[{opened},"{prices}","{number(candle.volume, volume_decimals)}",{closed},"{quote:.8f}",'
            f'{_trades(candle, quote)},"{bought}","{quote * share:.8f}","0"]'
        )

    return write


def price(market: Market, now: int) -> dict[str, Any]:
    """Return the entry of ticker/price."""
    return {"symbol": market.symbol, "price": number(market.history.price(now), market.price_decimals)}


def book_ticker(market: Market, now: int) -> dict[str, Any]:
    """Return the entry of ticker/bookTicker."""
    book = market.book(now, 1)
    lot_decimals = market.rules.volume_decimals
    return {
        "symbol": market.symbol,
        "bidPrice": number(book.bid_prices[0] if book.bid_prices else 0, market.price_decimals),
        "bidQty": number(book.bid_quantities[0] if book.bid_prices else 0, lot_decimals),
        "askPrice": number(book.ask_prices[0], market.price_decimals),
        "askQty": number(book.ask_quantities[0], lot_decimals),
    }


def depth(market: Market, now: int, limit: int) -> dict[str, Any]:
    """Return the order book."""
    book = market.book(now, limit)
    digits, lot_digits = market.price_decimals, market.rules.volume_decimals
    sides = {"bids": (book.bid_prices, book.bid_quantities), "asks": (book.ask_prices, book.ask_quantities)}
    levels = {
        side: [[number(p, digits), number(q, lot_digits)] for p, q in zip(prices, quantities, strict=True)]
        for side, (prices, quantities) in sides.items()
    }
    return {"lastUpdateId": now, **levels}


def day_ticker(market: Market, now: int, *, mini: bool) -> dict[str, Any]:
    """Return the entry of ticker/24hr."""
    day = market.day(now)
    candle, digits = day.candle, market.price_decimals
    quote = candle.quote * 10.0 ** -(digits + market.volume_decimals)
    trades = _trades(candle, quote)
    common = {
        "symbol": market.symbol,
        "openPrice": number(candle.open, digits),
        "highPrice": number(candle.high, digits),
        "lowPrice": number(candle.low, digits),
        "lastPrice": number(candle.close, digits),
        "volume": number(candle.volume, market.volume_decimals),
        "quoteVolume": f"{quote:.8f}",
        "openTime": candle.open_time,
        "closeTime": day.closed_at,
        "firstId": candle.open_time,
        "lastId": candle.open_time + max(trades - 1, 0),
        "count": trades,
    }
    if mini:
        return common
    average = candle.quote / candle.volume * 10.0**-digits if candle.volume else 0.0
    best = book_ticker(market, now)
    return common | {
        "priceChange": number(candle.close - candle.open, digits),
        "priceChangePercent": f"{(candle.close / candle.open - 1) * 100:.3f}",
        "weightedAvgPrice": f"{average:.8f}",
        "prevClosePrice": number(candle.open, digits),
        "lastQty": best["bidQty"],
        **{key: value for key, value in best.items() if key != "symbol"},
    }


def exchange_info(markets: list[Market], now: int, closed: Collection[str]) -> dict[str, Any]:
    """Return the rules of the venue and of its markets, of which those in `closed` do not trade any more."""
    return {
        "timezone": "UTC",
        "serverTime": now,
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": LIMIT_PER_MINUTE},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": ORDERS_PER_10_SECONDS},
            {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": ORDERS_PER_DAY},
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61_000},
        ],
        "exchangeFilters": [],
        "symbols": [_symbol_info(market.rules, closed) for market in markets],
    }


def _symbol_info(rules: SymbolRules, closed: Collection[str]) -> dict[str, Any]:
    precisions = dict.fromkeys(
        ("baseAssetPrecision", "quotePrecision", "quoteAssetPrecision", "baseCommissionPrecision"), _DECIMALS
    )
    return {
        "symbol": rules.symbol,
        "status": "BREAK" if rules.symbol in closed else "TRADING",
        "baseAsset": rules.base,
        "quoteAsset": rules.quote,
        **precisions,
        "quoteCommissionPrecision": _DECIMALS,
        "orderTypes": [
            "LIMIT",
            "LIMIT_MAKER",
            "MARKET",
            "STOP_LOSS",
            "STOP_LOSS_LIMIT",
            "TAKE_PROFIT",
            "TAKE_PROFIT_LIMIT",
        ],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(rules),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def _filters(rules: SymbolRules) -> list[dict[str, Any]]:
    tick, step, least = (f"{value:.8f}" for value in (rules.tick, rules.step, rules.step))
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": f"{rules.highest_price:.8f}", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": least, "maxQty": f"{rules.max_quantity:.8f}", "stepSize": step},
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": "0.00000000",
            "maxQty": f"{rules.max_market_quantity:.8f}",
            "stepSize": "0.00000000",
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": 10,
            "maxTrailingAboveDelta": 2000,
            "minTrailingBelowDelta": 10,
            "maxTrailingBelowDelta": 2000,
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": str(PERCENT_UP),
            "bidMultiplierDown": str(PERCENT_DOWN),
            "askMultiplierUp": str(PERCENT_UP),
            "askMultiplierDown": str(PERCENT_DOWN),
            "avgPriceMins": AVERAGE_PRICE_MINUTES,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": f"{rules.min_notional:.8f}",
            "applyMinToMarket": True,
            "maxNotional": f"{MAX_NOTIONAL:.8f}",
            "applyMaxToMarket": False,
            "avgPriceMins": AVERAGE_PRICE_MINUTES,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": MAX_ORDERS},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": MAX_ALGO_ORDERS},
    ]


def _buyers_share(candle: Candle) -> float:
    """Return the share of the volume that buyers took: more than half when the candle rose."""
    span = candle.high - candle.low
    return 0.5 + 0.3 * (candle.close - candle.open) / span if span else 0.5


def _trades(candle: Candle, quote: float) -> int:
    return 1 + int(quote / _QUOTE_PER_TRADE) if candle.volume else 0
