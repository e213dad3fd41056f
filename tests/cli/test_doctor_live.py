"""`doctor --live BOT` against the simulated exchange: a market that stands at 50,000, and accounts of all kinds."""

import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from db.bots import BotRepository
from db.engine import transaction
from db.tables import TradingBot
from domain.orders import order_prefix
from domain.state import Carried
from simulator.clock import SimulatedClock
from simulator.exchange import Exchange, replayed_market
from simulator.faults.altered import ClockSkew, SymbolBreak
from simulator.faults.outages import Maintenance
from simulator.server import RunningSimulator, start_simulator
from simulator.trading.accounts import AccountSpec, ApiKey, Permission
from tests.cli.helpers import Cli, Outcome
from tests.support.bots import LIVE, raw_config

KEY, SECRET = "key-of-the-doctor", "secret-of-the-doctor"
RING, OTHER_RING = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
MINUTE = 60_000


def key(*permissions: Permission) -> ApiKey:
    return ApiKey(key=KEY, secret=SECRET, permissions=frozenset(permissions))


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[RunningSimulator]:
    """Two hours around now, without an account."""
    first = int(time.time() * 1000) // MINUTE * MINUTE - 60 * MINUTE
    file = tmp_path / "flat.csv"
    rows = [f"{first + n * MINUTE},50000,50000,50000,50000,1" for n in range(120)]
    file.write_text("\n".join(("timestamp,open,high,low,close,volume", *rows)) + "\n")
    exchange = Exchange(SimulatedClock(), [replayed_market("BTCUSDT", file)])
    async with await start_simulator(exchange) as running:
        yield running


class Doctor:
    """A bot and the account behind its keys; what the doctor says of them."""

    def __init__(self, cli: Cli, rows: BotRepository, simulator: RunningSimulator) -> None:
        self.cli, self.rows, self.simulator = cli, rows, simulator

    def open_account(self, api_key: ApiKey, **balances: str) -> None:
        spec = AccountSpec(name="main", keys=(api_key,), balances={k: Decimal(v) for k, v in balances.items()})
        self.simulator.desk.accounts.open(spec, self.simulator.exchange.clock.now_ms())

    async def store_keys(self, secret: str = SECRET, venue: str = "binance") -> None:
        options = ("--passphrase",) if venue == "okx" else ()
        answer = f"{secret}\nphrase\n" if venue == "okx" else f"{secret}\n"
        stored = await self.cli("credentials", "add", "main", "--venue", venue, "--key", KEY, *options, answer=answer)
        assert stored.code == 0, stored.err

    async def make_bot(self, bot_id: str = "rsi", **changes: Any) -> None:
        """A live bot, but for the changes."""
        settings = {
            **LIVE,
            "broker__cash": 1000,
            "trading__position_size": 0.1,
            "broker__base_url": self.simulator.url,
            **changes,
        }
        await self.rows.create(bot_id, raw_config(bot_id, **settings))

    async def says(self, bot_id: str = "rsi") -> Outcome:
        outcome = await self.cli("doctor", "--live", bot_id, "--json")
        assert SECRET not in outcome.out + outcome.err
        assert KEY not in outcome.out + outcome.err
        return outcome

    async def orders(self) -> int:
        """How many orders the exchange has seen."""
        async with aiohttp.ClientSession(self.simulator.url) as session, session.get("/ledger") as answer:
            return sum(len(account["orders"]) for account in (await answer.json())["accounts"])


@pytest.fixture
def doctor(cli: Cli, rows: BotRepository, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", RING)
    return Doctor(cli, rows, simulator)


def check(outcome: Outcome, name: str) -> dict[str, Any]:
    [found] = [dict(line) for line in outcome.json if line["name"] == name]
    return found


async def test_a_bot_that_is_ready_gets_a_clean_bill_and_its_first_order_is_shown_but_not_sent(doctor: Doctor) -> None:
    doctor.open_account(key("read", "trade"), USDT="1000")
    await doctor.store_keys()
    await doctor.make_bot()
    outcome = await doctor.says()
    assert outcome.code == 0
    assert [line["name"] for line in outcome.json] == [
        "configuration",
        "market",
        "clock",
        "keys",
        "right to trade",
        "right to withdraw",
        "balance USDT",
        "balance BTC",
        "first order",
    ]
    assert {line["verdict"] for line in outcome.json} == {"ok"}
    assert check(outcome, "market")["found"] == (
        "BTC/USDT at 50000 USDT, lots of 0.00001 BTC, ticks of 0.01, at least 0.00001 BTC and 5 USDT"
    )
    assert check(outcome, "balance USDT")["found"] == "1000 USDT free; the bot may spend 1000"
    # 100 USDT buy 0.001999 BTC at 50,025, the price with 0.05 % of slippage; that is 0.00199 in lots of 0.00001.
    prefix = order_prefix((await doctor.rows.get("rsi")).uid)
    assert check(outcome, "first order")["found"] == (
        f"buy 0.00199 BTC of BTC/USDT at the market, about 99.50 USDT, under an id {prefix}…; "
        "the exchange refuses it if it comes more than 5 s late. It was not sent"
    )
    assert await doctor.orders() == 0


async def test_a_paper_bot_is_told_what_is_missing_until_it_is_live(doctor: Doctor) -> None:
    await doctor.make_bot(
        broker__trading_mode="paper",
        broker__credentials=None,
        broker__live_trading_confirmed=False,
        risk_management__max_daily_loss=None,
    )
    outcome = await doctor.says()
    assert outcome.code == 1
    line = check(outcome, "configuration")
    assert line["verdict"] == "fail"
    assert "to go live: broker.credentials: is required" in line["found"]
    assert "risk_management.max_daily_loss: is required" in line["found"]
    assert "max_position_size" not in line["found"]
    assert line["mend"] == "python starter.py bots edit rsi"
    assert check(outcome, "first order")["verdict"] == "ok"


async def test_a_paper_bot_that_lacks_only_a_persons_word_is_looked_at_in_full(doctor: Doctor) -> None:
    doctor.open_account(key("read", "trade"), USDT="1000")
    await doctor.store_keys()
    await doctor.make_bot(broker__trading_mode="paper", broker__live_trading_confirmed=False)
    outcome = await doctor.says()
    assert outcome.code == 0
    line = check(outcome, "configuration")
    assert (line["verdict"], line["mend"].partition(": ")[2]) == (
        "warn",
        "set broker.trading_mode to live and broker.live_trading_confirmed to true",
    )
    assert check(outcome, "balance USDT")["verdict"] == "ok"


async def test_a_configuration_that_is_invalid_ends_the_visit(doctor: Doctor) -> None:
    await doctor.make_bot(trading__position_size=7)
    outcome = await doctor.says()
    assert outcome.code == 1
    [line] = outcome.json
    assert "trading.position_size" in line["found"]


async def test_a_bot_that_does_not_exist_fails(doctor: Doctor) -> None:
    outcome = await doctor.says("nobody")
    assert outcome.code == 1
    assert "nobody" in check(outcome, "bot")["found"]


async def test_a_wrong_secret_is_refused_by_the_exchange(doctor: Doctor) -> None:
    doctor.open_account(key("read", "trade"), USDT="1000")
    await doctor.store_keys(secret="another-secret")
    await doctor.make_bot()
    outcome = await doctor.says()
    assert outcome.code == 1
    line = check(outcome, "account")
    assert line["verdict"] == "fail"
    assert "Signature for this request is not valid" in line["found"]
    assert "credentials rotate main" in line["mend"]


async def test_keys_that_are_not_stored_say_how_to_store_them(doctor: Doctor) -> None:
    await doctor.make_bot()
    outcome = await doctor.says()
    assert outcome.code == 1
    line = check(outcome, "keys")
    assert line["mend"] == "store them: python starter.py credentials add main --venue binance --key KEY"
    assert check(outcome, "first order")["verdict"] == "ok"


async def test_keys_that_this_machine_cannot_open_fail(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    await doctor.store_keys()
    await doctor.make_bot()
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", OTHER_RING)
    line = check(await doctor.says(), "keys")
    assert line["verdict"] == "fail"
    assert "add that key to STEADYHAND_SECRET_KEYS" in line["found"]
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", "too-short")
    assert check(await doctor.says(), "keys")["verdict"] == "fail"


async def test_keys_of_another_exchange_fail(doctor: Doctor) -> None:
    await doctor.store_keys(venue="okx")
    await doctor.make_bot()
    line = check(await doctor.says(), "keys")
    assert (line["verdict"], line["found"]) == ("fail", "main are for okx, the bot trades at binance")


async def test_a_key_that_may_only_read_fails(doctor: Doctor) -> None:
    doctor.open_account(key("read"), USDT="1000")
    await doctor.store_keys()
    await doctor.make_bot()
    outcome = await doctor.says()
    assert outcome.code == 1
    line = check(outcome, "right to trade")
    assert (line["verdict"], line["found"]) == ("fail", "the key may read only")


async def test_a_right_to_withdraw_is_a_warning(doctor: Doctor) -> None:
    doctor.open_account(key("read", "trade", "withdraw"), USDT="1000")
    await doctor.store_keys()
    await doctor.make_bot()
    outcome = await doctor.says()
    assert outcome.code == 0
    line = check(outcome, "right to withdraw")
    assert line["verdict"] == "warn"
    assert line["mend"] == "take that right away at the exchange"


async def test_less_money_than_the_bot_may_spend_fails(doctor: Doctor) -> None:
    doctor.open_account(key("read", "trade"), USDT="999.99")
    await doctor.store_keys()
    await doctor.make_bot()
    outcome = await doctor.says()
    assert outcome.code == 1
    line = check(outcome, "balance USDT")
    assert (line["verdict"], line["found"]) == ("fail", "999.99 USDT free; the bot may spend 1000")


async def carry(doctor: Doctor, engine: AsyncEngine, bot_id: str, book: dict[str, Any]) -> None:
    """Have a bot's row hold the books of a live life."""
    raw = (await doctor.rows.get(bot_id)).config
    instrument = {
        "venue": {"name": "binance", "base_url": doctor.simulator.url},
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "lot_step": "0.00001",
        "tick_size": "0.01",
    }
    carried = Carried.model_validate(
        {"config": raw, "version": 1, "instrument": instrument, "funded": "1000", "book": book}
    )
    values = {"carried": carried.model_dump(mode="json")}
    async with transaction(engine) as connection:
        await connection.execute(update(TradingBot).where(TradingBot.id == bot_id).values(values))


async def test_capital_that_other_bots_of_the_account_have_already_fails(doctor: Doctor, engine: AsyncEngine) -> None:
    doctor.open_account(key("read", "trade"), USDT="1500")
    await doctor.store_keys()
    await doctor.make_bot("other")
    await carry(doctor, engine, "other", {"cash": "600"})
    await doctor.make_bot()
    outcome = await doctor.says()
    assert outcome.code == 1
    line = check(outcome, "balance USDT")
    assert (line["verdict"], line["found"]) == (
        "fail",
        "broker.cash: 1000 USDT cannot be allotted: account main holds 1500, and 1 other bots have 600 of it",
    )


async def test_books_that_hold_more_than_the_account_fail(doctor: Doctor, engine: AsyncEngine) -> None:
    doctor.open_account(key("read", "trade"), USDT="1000", BTC="0.001")
    await doctor.store_keys()
    await doctor.make_bot()
    await carry(doctor, engine, "rsi", {"cash": "900", "dust": {"quantity": "0.002", "cost": "100"}})
    outcome = await doctor.says()
    line = check(outcome, "balance BTC")
    assert (line["verdict"], line["found"]) == ("fail", "0.001 BTC there; the bot's books hold 0.002")
    assert check(outcome, "balance USDT")["found"] == "1000 USDT free; the bot may spend 900"


async def test_a_clock_that_is_off_is_a_warning_that_says_by_how_much(doctor: Doctor) -> None:
    doctor.open_account(key("read", "trade"), USDT="1000")
    await doctor.store_keys()
    await doctor.make_bot()
    doctor.simulator.faults.arm([ClockSkew(ms=30_000)])
    outcome = await doctor.says()
    line = check(outcome, "clock")
    assert line["verdict"] == "warn"
    offset = int(line["found"].removeprefix("the exchange is +").partition(" ")[0])
    assert 29_000 < offset < 31_000
    # What is signed carries the exchange's time, so the account can be read all the same.
    assert check(outcome, "balance USDT")["verdict"] == "ok"


@pytest.mark.parametrize(
    ("fraction", "reason"),
    [
        # 5 USDT buy 0.00009 BTC, which are worth 4.50.
        pytest.param(0.005, "notional 4.5 is below the least of BTC/USDT, 5 USDT", id="entry"),
        # 5.1 USDT buy 0.00010 BTC; net of the fee 0.00009 are left to sell.
        pytest.param(0.0051, "the position could not be sold at its stop: notional 4.", id="exit"),
    ],
)
async def test_an_order_below_the_minimum_fails_and_so_does_one_that_could_not_be_sold_again(
    doctor: Doctor, fraction: float, reason: str
) -> None:
    await doctor.make_bot(trading__position_size=fraction, risk_management__stop_loss_pct=3)
    outcome = await doctor.says()
    assert outcome.code == 1
    line = check(outcome, "first order")
    assert line["verdict"] == "fail"
    assert line["found"].startswith(f"none at 50000 USDT: {reason}")
    assert "trading.position_size" in line["mend"]


async def test_a_market_that_is_unknown_or_closed_fails(doctor: Doctor) -> None:
    await doctor.make_bot(symbol="BTCUSD")
    outcome = await doctor.says()
    assert outcome.code == 1
    assert "did you mean BTC/USDT?" in check(outcome, "market")["found"]
    await doctor.make_bot("other")
    doctor.simulator.faults.arm([SymbolBreak(symbols=frozenset({"BTCUSDT"}))])
    assert "has no spot market" in check(await doctor.says("other"), "market")["found"]


async def test_an_exchange_whose_habits_are_not_known_trades_on_paper_only(doctor: Doctor) -> None:
    await doctor.make_bot(broker__type="bitstamp", data__data_source="bitstamp")
    line = check(await doctor.says(), "market")
    assert line["verdict"] == "fail"
    assert "bitstamp trades on paper only; live orders are known for binance, bitget" in line["found"]


async def test_an_exchange_that_does_not_answer_fails(doctor: Doctor) -> None:
    await doctor.make_bot()
    doctor.simulator.faults.arm([Maintenance()])
    outcome = await doctor.says()
    assert outcome.code == 1
    assert "bots wait for it by themselves" in check(outcome, "market")["mend"]


async def test_people_read_a_line_for_each_check_with_what_to_do(doctor: Doctor) -> None:
    await doctor.make_bot()
    outcome = await doctor.cli("doctor", "--live", "rsi")
    assert "ok   market" in outcome.out
    assert "→ store them: python starter.py credentials add main" in outcome.out


async def test_one_bot_alone_is_looked_at(doctor: Doctor) -> None:
    outcome = await doctor.cli("doctor", "--live", "rsi", "--venue", "binance")
    assert outcome.code == 2
    assert "leave --venue out" in outcome.err


async def test_without_a_database_there_is_no_bot_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await Cli()("doctor", "--live", "rsi")
    assert outcome.code == 1
    assert outcome.err.startswith("error: nothing runs in ")
