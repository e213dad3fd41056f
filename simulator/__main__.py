"""`python -m simulator`: the simulated exchange as a process of its own."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from simulator.clock import SimulatedClock
from simulator.exchange import Exchange, Market, generated_market, replayed_market
from simulator.rules import DEFAULT_SYMBOLS
from simulator.server import start_simulator
from simulator.trading.accounts import AccountSpec, read_accounts

# A replay starts so many candles into its file, so that there is a past to look at.
_HISTORY_CANDLES = 1_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status: 0 after a signal, 1 when it could not start."""
    options = _parser().parse_args(arguments)
    # Until the exchange serves, SIGTERM interrupts like Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        asyncio.run(_serve(_exchange(options), _accounts(options), options))
    except KeyboardInterrupt:
        return 0
    except (ValueError, OverflowError, OSError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A Binance-compatible spot exchange.")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="replay this candle file (.gz or plain)")
    parser.add_argument("--symbol", default="BTCUSDT", help="the symbol that --csv replays (%(default)s)")
    parser.add_argument("--symbols", metavar="A,B", help="generated symbols; with --csv none, else the usual eight")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another market (%(default)s)")
    parser.add_argument("--volatility", type=float, default=1.0, help="of generated prices, up to 50 (%(default)s)")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated per real second (%(default)s)")
    parser.add_argument(
        "--start",
        type=_moment,
        metavar="ISO",
        help=f"time of the clock at start, UTC unless it says otherwise; by default now, or with --csv"
        f" {_HISTORY_CANDLES} candles into the file",
    )
    parser.add_argument(
        "--account",
        action="append",
        default=[],
        metavar="KEY:SECRET:ASSET=AMOUNT,...",
        help="open an account that trades with this key; may be repeated",
    )
    parser.add_argument("--accounts", type=Path, metavar="FILE", help="open the accounts of this JSON file")
    parser.add_argument(
        "--enforce-limits", action="store_true", help="refuse what exceeds the venue's rate limits, not only count it"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8899, help="port to listen on, 0 for any (%(default)s)")
    return parser


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a time like 2022-01-03T12:00:00; was {text!r}") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000)


def _exchange(options: argparse.Namespace) -> Exchange:
    markets: list[Market] = []
    start_ms: int | None = options.start
    if options.csv is not None:
        market = replayed_market(options.symbol, options.csv)
        markets.append(market)
        start_ms = _start_of_replay(market) if start_ms is None else start_ms
    generated = options.symbols.split(",") if options.symbols else [] if markets else DEFAULT_SYMBOLS
    names = [market.symbol for market in markets]
    for symbol in generated:
        if symbol in names:
            raise ValueError(f"each symbol can be listed once; {symbol} is there twice")
        names.append(symbol)
        markets.append(generated_market(symbol, seed=options.seed, volatility=options.volatility))
    return Exchange(SimulatedClock(options.speed, start_ms), markets)


def _accounts(options: argparse.Namespace) -> list[AccountSpec]:
    accounts = read_accounts(options.accounts) if options.accounts is not None else []
    return [*accounts, *map(AccountSpec.parse, options.account)]


def _start_of_replay(market: Market) -> int:
    source = market.history.source
    end = source.first_ms if source.end_ms is None else source.end_ms
    return min(source.first_ms + _HISTORY_CANDLES * source.levels[-1], (source.first_ms + end) // 2)


async def _serve(exchange: Exchange, accounts: Sequence[AccountSpec], options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        # Not through the loop's own handlers, which Windows does not have.
        signal.signal(name, lambda *_: loop.call_soon_threadsafe(stopped.set))
    serving = start_simulator(
        exchange, options.host, options.port, accounts=accounts, limits_enforced=options.enforce_limits
    )
    async with await serving as simulator:
        print(f"simulator: {', '.join(exchange.markets)} at {simulator.url}", flush=True)
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
