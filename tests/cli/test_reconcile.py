"""`reconcile` against the simulated exchange: markets that stand at 50,000, an account that bots share.

The spread is 1 USDT: who buys pays 50,000.50, who sells gets 49,999.50, and 0.1 % of what it yields is the fee.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from brokers.ccxt_data import CcxtData
from brokers.ccxt_spot import CcxtBroker
from brokers.gateway import Gateway
from cli.reconcile.examination import Examination
from db.bots import BotRepository
from db.engine import transaction
from db.journal import JournalRepository
from db.tables import TradingBot
from domain.config import parse_config
from domain.errors import StoreUnavailable
from domain.instruments import AccountRef, VenueRef
from domain.journal import FillEntry, JournalBatch, JournalEntry, JournalPayload, JournalReceipt, OrderEntry
from domain.orders import OrderIntent, OrderReport, OrderRequest, OrderStatus, Side, client_order_id
from domain.positions import Book, Holding
from domain.state import Carried
from simulator.clock import SimulatedClock
from simulator.exchange import Exchange, replayed_market
from simulator.faults.outages import Maintenance
from simulator.server import RunningSimulator, start_simulator
from simulator.trading.accounts import AccountSpec, ApiKey
from tests.cli.helpers import Cli, Outcome, running_bot
from tests.contract.benches import open_window
from tests.support.bots import LIVE, Bench, raw_config
from tests.support.vault import FixedVault, credentials

KEY, SECRET = "key-of-the-account", "secret-of-the-account"
RING = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
MINUTE = 60_000


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[RunningSimulator]:
    """Two hours around now, and an account of 2,000 USDT."""
    first = int(time.time() * 1000) // MINUTE * MINUTE - 60 * MINUTE
    file = tmp_path / "flat.csv"
    rows = [f"{first + n * MINUTE},50000,50000,50000,50000,1" for n in range(120)]
    file.write_text("\n".join(("timestamp,open,high,low,close,volume", *rows)) + "\n")
    exchange = Exchange(SimulatedClock(), [replayed_market(symbol, file) for symbol in ("BTCUSDT", "ETHUSDT")])
    key = ApiKey(key=KEY, secret=SECRET)
    account = AccountSpec(name="main", keys=(key,), balances={"USDT": Decimal(2000)})
    async with await start_simulator(exchange, accounts=[account]) as running:
        yield running


@dataclass
class Office:
    """Bots with books of the account, and whoever else trades there."""

    cli: Cli
    rows: BotRepository
    engine: AsyncEngine
    gateway: Gateway
    account: AccountRef

    async def make_bot(self, bot_id: str = "rsi", *, symbol: str = "BTCUSDT", **changes: Any) -> None:
        """Make the row of a live bot that has not begun to trade."""
        settings = {**LIVE, "broker__base_url": self.account.venue.base_url, "symbol": symbol, **changes}
        await self.rows.create(bot_id, raw_config(bot_id, **settings))

    async def carry(self, bot_id: str = "rsi", *, cash: str, holding: str = "0", **carried: Any) -> None:
        """Have a bot's row hold these books."""
        config = parse_config((await self.rows.get(bot_id)).config)
        state = Carried(
            config=config,
            version=1,
            instrument=await CcxtData(self.gateway, self.account.venue).instrument(config.symbol, "1m"),
            funded=Decimal(1000),
            book=Book(cash=Decimal(cash), dust=Holding(quantity=Decimal(holding))),
            **carried,
        )
        values = {"carried": state.model_dump(mode="json"), "status": "running"}
        async with transaction(self.engine) as connection:
            await connection.execute(update(TradingBot).where(TradingBot.id == bot_id).values(values))

    async def order(
        self, number: int, side: Side, quantity: str, *, bot_id: str = "rsi"
    ) -> tuple[OrderIntent, OrderReport]:
        """Have a bot send an order at the market; nothing is booked."""
        row = await self.rows.get(bot_id)
        instrument = await CcxtData(self.gateway, self.account.venue).instrument(row.config["symbol"], "1m")
        wanted = OrderIntent(
            client_order_id=client_order_id(row.uid, number),
            sequence=number,
            symbol=instrument.symbol,
            side=side,
            quantity=Decimal(quantity),
            reference_price=Decimal(50_000),
            reason="test",
            decision_key=f"key:{number}",
            decided_at=int(time.time() * 1000),
            candle_time=0,
            config_version=1,
        )
        request = OrderRequest(
            bot_id=bot_id,
            intent=wanted,
            instrument=instrument,
            account=self.account,
            cash=Decimal(2000),
            holding=Decimal(1),
        )
        return wanted, await CcxtBroker(self.gateway).submit(request, open_window())

    async def journal(self, intent: OrderIntent, report: OrderReport, *, status: OrderStatus | None = None) -> None:
        """Write an order and its fills into the journal of `rsi`, as the bot does."""
        entry = OrderEntry(
            intent=intent,
            status=status or report.status,
            venue_order_id=report.venue_order_id,
            filled_quantity=report.filled_quantity,
        )
        fills = [FillEntry(client_order_id=intent.client_order_id, fill=fill) for fill in report.fills]
        payloads: list[JournalPayload] = [entry, *fills]
        at = datetime.now(UTC)
        entries = [JournalEntry(n=n, at=at, payload=payload) for n, payload in enumerate(payloads, start=1)]
        uid = (await self.rows.get("rsi")).uid
        await JournalRepository(self.engine).write(JournalBatch(bot_id="rsi", uid=uid, entries=tuple(entries)))

    async def by_hand(self, name: str, side: Side, quantity: float, price: float | None = None) -> None:
        """Trade in the account as a person does: at the market, or at a limit."""
        client, kind = await self.gateway.account_client(self.account), "limit" if price else "market"
        await client.exchange.create_order("BTC/USDT", kind, side, quantity, price, {"newClientOrderId": name})

    async def resting(self) -> list[str]:
        client = await self.gateway.account_client(self.account)
        return [str(order["clientOrderId"]) for order in await client.exchange.fetch_open_orders("BTC/USDT")]

    async def says(self, *arguments: str) -> Outcome:
        outcome = await self.cli("reconcile", *arguments)
        assert SECRET not in outcome.out + outcome.err
        assert KEY not in outcome.out + outcome.err
        return outcome


@pytest.fixture
async def office(
    cli: Cli,
    rows: BotRepository,
    engine: AsyncEngine,
    simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Office]:
    monkeypatch.setenv("STEADYHAND_SECRET_KEYS", RING)
    monkeypatch.setattr("cli.reconcile.examination._SECOND_LOOK_SECONDS", 0.0)
    stored = await cli("credentials", "add", "main", "--venue", "binance", "--key", KEY, answer=f"{SECRET}\n")
    assert stored.code == 0, stored.err
    gateway = Gateway(vault=FixedVault(main=credentials("binance", KEY, SECRET)), timeout=3)
    account = AccountRef(venue=VenueRef(name="binance", base_url=simulator.url), credentials="main")
    yield Office(cli, rows, engine, gateway, account)
    await gateway.close()


@pytest.fixture
async def trading(office: Office) -> Office:
    """A bot that has bought 0.01 BTC for 500.005 of its 1,000 USDT; the fee took 0.00001 BTC."""
    await office.make_bot()
    intent, report = await office.order(1, "buy", "0.01")
    await office.journal(intent, report)
    await office.carry(cash="499.995", holding="0.00999", ordered_at=intent.decided_at)
    return office


def account(outcome: Outcome) -> Mapping[str, Any]:
    (found,) = outcome.json["accounts"]
    return dict(found)


def money(outcome: Outcome) -> dict[str, tuple[str, str, str, bool]]:
    lines = account(outcome)["comparison"]["currencies"]
    return {line["currency"]: (line["books"], line["venue"], line["difference"], line["differs"]) for line in lines}


def findings(outcome: Outcome) -> list[tuple[str | None, str, str]]:
    orders = account(outcome)["comparison"]["orders"]
    return [(order["bot_id"], order["client_order_id"], order["verdict"]) for order in orders]


async def test_books_and_account_that_agree_are_shown_side_by_side(trading: Office) -> None:
    outcome = await trading.says()
    assert outcome.code == 0, outcome.err
    lines = [line.split() for line in outcome.out.splitlines()]
    assert lines[0] == f"account main on binance at {trading.account.venue.base_url} · rsi".split()
    assert ["BTC", "0.00999", "0.00999", "0", "0", "rsi", "0.00999"] in lines
    # The account began with 2,000 USDT, of which the bot has 1,000.
    assert ["USDT", "499.995", "1,499.995", "0", "+1,000", "not", "allotted", "rsi", "499.995"] in lines
    assert "orders of bots that stand alike on both sides: 1" in outcome.out
    assert outcome.out.splitlines()[-1] == "books and venue agree"


async def test_the_same_as_json(trading: Office) -> None:
    outcome = await trading.says("--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["verdict"] == "agree"
    assert account(outcome)["account"]["credentials"] == "main"
    assert money(outcome) == {
        "BTC": ("0.00999", "0.00999", "0", False),
        "USDT": ("499.995", "1499.995", "1000", False),
    }
    name = client_order_id((await trading.rows.get("rsi")).uid, 1)
    assert findings(outcome) == [("rsi", name, "agrees")]
    (order,) = account(outcome)["comparison"]["orders"]
    assert order["journal"] == order["venue"]
    assert (order["venue"]["status"], order["venue"]["filled"]) == ("filled", "0.01")


async def test_a_manual_sale_is_reported_and_what_it_took_from_the_books_is_missing(trading: Office) -> None:
    """0.004 BTC sold for 199.998 USDT, less a fee of 0.199998."""
    await trading.by_hand("by-hand", "sell", 0.004)
    outcome = await trading.says("--json")
    assert outcome.code == 1
    assert outcome.json["verdict"] == "differ"
    assert money(outcome) == {
        "BTC": ("0.00999", "0.00599", "-0.004", True),
        "USDT": ("499.995", "1699.793002", "1199.798002", False),
    }
    assert (None, "by-hand", "foreign_trade") in findings(outcome)
    shown = await trading.says()
    assert shown.code == 1
    lines = [line.split() for line in shown.out.splitlines()]
    assert ["BTC", "0.00999", "0.00599", "0", "-0.004", "missing", "rsi", "0.00999"] in lines
    assert "books and venue differ; docs/reconciliation.md says what to do" in shown.out
    assert "no worker answers for rsi: whether a journal waits is not known" in shown.out


async def test_a_foreign_order_is_reported_and_not_touched(trading: Office) -> None:
    await trading.by_hand("web-1", "sell", 0.004, 60_000)
    outcome = await trading.says("--json")
    assert outcome.code == 0, outcome.err
    assert (None, "web-1", "foreign_order") in findings(outcome)
    # What it locks is there all the same.
    assert money(outcome)["BTC"] == ("0.00999", "0.00999", "0", False)
    assert await trading.resting() == ["web-1"]
    shown = await trading.says()
    (line,) = [line.split() for line in shown.out.splitlines() if "web-1" in line]
    assert line[0] == "web-1"
    assert line[3:] == ["nobody's", "BTC/USDT", "sell", "0.004", "—", "open", "foreign,", "left", "alone"]


async def test_an_order_of_the_bot_that_the_journal_lacks_differs(trading: Office) -> None:
    intent, _ = await trading.order(2, "buy", "0.002")
    outcome = await trading.says("--json")
    assert outcome.code == 1
    assert ("rsi", intent.client_order_id, "not_in_journal") in findings(outcome)
    # 0.002 BTC cost 100.001 USDT, and the fee took 0.000002 BTC.
    assert money(outcome) == {
        "BTC": ("0.00999", "0.011988", "0.001998", False),
        "USDT": ("499.995", "1399.994", "899.999", False),
    }


async def test_an_order_that_the_journal_believes_to_rest_differs_in_status_and_fills(trading: Office) -> None:
    intent, report = await trading.order(2, "buy", "0.002")
    await trading.journal(intent, report.model_copy(update={"fills": ()}), status="open")
    outcome = await trading.says("--json")
    assert outcome.code == 1
    (line,) = [o for o in account(outcome)["comparison"]["orders"] if o["client_order_id"] == intent.client_order_id]
    assert line["verdict"] == "stands_differently"
    assert (line["journal"]["status"], line["venue"]["status"]) == ("open", "filled")
    assert line["detail"] == f"fills not in the journal: {report.fills[0].trade_id}"


async def test_books_that_catch_up_at_once_are_no_difference(trading: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two looks the journal gets the order, as it does behind trading; and the bot sends another."""
    intent, report = await trading.order(2, "sell", "0.00999")
    here, look, looks = asyncio.get_running_loop(), Examination._look, []

    async def catch_up() -> None:
        await trading.journal(intent, report)
        await trading.carry(cash="998.99", holding="0")
        await trading.order(3, "buy", "0.002")

    async def looking(self: Examination, *arguments: Any) -> Any:
        looks.append(await look(self, *arguments))
        if len(looks) == 1:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(catch_up(), here))
        return looks[-1]

    monkeypatch.setattr(Examination, "_look", looking)
    outcome = await trading.says()
    assert outcome.code == 0, outcome.out
    first, second = [{line.subject for line in each.differing} for each in looks]
    uid = (await trading.rows.get("rsi")).uid
    assert (client_order_id(uid, 2) in first, second) == (True, {client_order_id(uid, 3)})


async def test_bots_that_share_an_account_are_held_against_it_together(trading: Office) -> None:
    """499.995 + 1,001 USDT are more than the 1,499.995 that are there."""
    await trading.make_bot("macd", symbol="ETHUSDT")
    await trading.carry("macd", cash="1001")
    outcome = await trading.says("--json")
    assert outcome.code == 1
    assert money(outcome)["USDT"] == ("1500.995", "1499.995", "-1", True)
    assert account(outcome)["bots"] == ["macd", "rsi"]
    await trading.carry("macd", cash="1000")
    assert (await trading.says()).code == 0


async def test_one_bot_is_shown_its_part_alone(trading: Office) -> None:
    await trading.make_bot("macd", symbol="ETHUSDT")
    await trading.carry("macd", cash="1000")
    await trading.order(1, "buy", "0.002", bot_id="macd")  # in neither its journal nor its books
    outcome = await trading.says("--bot", "rsi", "--json")
    assert outcome.code == 1
    assert money(outcome) == {
        "BTC": ("0.00999", "0.00999", "0", False),
        "USDT": ("1499.995", "1399.994", "-100.001", True),
    }
    assert [order[0] for order in findings(outcome)] == ["rsi"]
    assert [order[::2] for order in findings(await trading.says("--bot", "macd", "--json"))] == [
        ("macd", "not_in_journal")
    ]


async def test_what_a_bot_waits_for_a_person_with_is_shown_and_differs(trading: Office) -> None:
    await trading.carry(cash="499.995", holding="0.00999", difference="the venue held less")
    outcome = await trading.says()
    assert outcome.code == 1
    assert "rsi buys nothing until this is explained: the venue held less" in outcome.out


async def test_a_venue_that_does_not_answer_is_no_clean_bill(trading: Office, simulator: RunningSimulator) -> None:
    simulator.faults.arm([Maintenance()])
    outcome = await trading.says()
    assert outcome.code == 2
    assert f"could not be asked: binance at {simulator.url}: ExchangeNotAvailable" in outcome.out
    assert outcome.out.splitlines()[-1] == "not all could be asked: this is no clean bill"


async def test_keys_that_are_gone_are_told(trading: Office) -> None:
    assert (await trading.cli("credentials", "remove", "main", "--force")).code == 0
    outcome = await trading.says("--json")
    assert outcome.code == 2
    assert (outcome.json["verdict"], account(outcome)["comparison"]) == ("incomplete", None)
    assert "there are no credentials main" in account(outcome)["trouble"]


async def test_a_database_that_is_away_is_exit_code_2(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADYHAND_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/bots")
    outcome = await cli("reconcile")
    assert outcome.code == 2
    assert outcome.err.startswith("error: the database at 127.0.0.1:1/bots cannot be reached: ")


async def test_without_another_side_a_sentence_says_so(cli: Cli, rows: BotRepository) -> None:
    await rows.create("paper", raw_config("paper"))
    outcomes = [await cli("reconcile", *which) for which in ((), ("--bot", "nobody"), ("--bot", "paper"))]
    assert [(outcome.code, outcome.err) for outcome in outcomes] == [
        (2, "error: no bot trades live; there is no other side\n"),
        (2, "error: there is no bot nobody\n"),
        (2, "error: paper trades on paper; there is no other side\n"),
    ]


async def test_a_live_bot_that_has_not_begun_is_named(office: Office) -> None:
    await office.make_bot("new")
    assert (await office.says()).err == ("error: no live bot has begun to trade, so there are no books yet: new\n")
    assert (await office.says("--bot", "new")).err == "error: new has not begun to trade live; it has no books yet\n"
    await office.make_bot()
    await office.carry(cash="1000")
    outcome = await office.says()
    assert outcome.code == 0
    assert "not begun to trade live, without books yet: new" in outcome.out


class Gate:
    """A journal whose database can go away."""

    def __init__(self, journal: JournalRepository) -> None:
        self.journal, self.closed = journal, False

    async def write(self, batch: JournalBatch) -> JournalReceipt:
        if self.closed:
            raise StoreUnavailable("the gate is closed")
        return await self.journal.write(batch)


async def test_a_journal_that_waits_is_told_where_the_sides_differ(office: Office, idle_bench: Bench) -> None:
    """The bot asks for 5,000 USDT of an account that holds 2,000, and the fake exchange that it trades at has them."""
    gate = Gate(JournalRepository(office.engine))
    idle_bench.journal = gate  # type: ignore[assignment]
    async with idle_bench.worker():
        bot = await running_bot(idle_bench, **LIVE, broker__base_url=office.account.venue.base_url, broker__cash=5000)
        await bot.comes(lambda answer: answer.journal_waiting == 0)
        gate.closed = True
        idle_bench.market.dip()
        waiting = (await bot.comes(lambda answer: answer.journal_waiting > 2)).journal_waiting
        outcome = await office.says("--json")
        assert outcome.code == 1, outcome.err
        assert account(outcome)["waiting"][bot.bot_id] >= waiting
        shown = await office.says("--bot", bot.bot_id)
        assert f"the journal of {bot.bot_id} waits, entries not written yet: " in shown.out
        gate.closed = False
