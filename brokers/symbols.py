"""Which market a symbol of the configuration names."""

from collections.abc import Mapping

from brokers.ccxt_types import Market
from brokers.nearest import nearest, plain
from domain.errors import VenueMisfit


def resolve(symbol: str, markets: Mapping[str, Market], venue: str) -> Market:
    """Return the spot market that `symbol` names: `BTC/USDT` and `BTCUSDT` alike, upper or lower case.

    Args:
        markets: the venue's spot markets, by unified symbol.

    Raises:
        VenueMisfit: no market or several have this name.
    """
    if (exact := markets.get(symbol)) is not None:
        return exact
    wanted = plain(symbol)
    # With a slash the split is given; without it, every market whose base and quote read alike is meant.
    found = [
        market
        for market in markets.values()
        if market["symbol"].upper() == symbol.upper()
        or ("/" not in symbol and wanted in (plain(market["symbol"]), plain(str(market["id"]))))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(sorted(market["symbol"] for market in found))
        raise VenueMisfit("symbol", f"{symbol!r} is ambiguous at {venue}; expected one of {names}")
    raise VenueMisfit("symbol", _unknown(symbol, markets, venue))


def _unknown(symbol: str, markets: Mapping[str, Market], venue: str) -> str:
    close = nearest(symbol, markets)
    return f"{venue} has no spot market {symbol!r}" + (f"; did you mean {close}?" if close else "")
