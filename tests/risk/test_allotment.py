"""What bots of one account may be allotted. An account of 500 USDT throughout, the bot in question asks for 200."""

from typing import Any

import pytest

from domain.config import parse_config
from domain.positions import Book
from domain.state import BotRow, Carried
from risk.allotment import allotment_problem
from tests.domain.builders import dec, instrument
from tests.support.bots import LIVE, bot_row


def row(bot_id: str, cash: int, *, left: str | None = None, **changes: Any) -> BotRow:
    """Return a live bot's row; `left` is what its book still holds, None before it has any."""
    asked = bot_row(bot_id, **{**LIVE, "broker__cash": cash, **changes})
    if left is None:
        return asked
    config = parse_config(asked.config)
    carried = Carried(config=config, instrument=instrument(), funded=dec(cash), book=Book(cash=dec(left)))
    return asked.model_copy(update={"carried": carried})


def problem(*rows: BotRow, there: str = "500") -> str | None:
    (own,) = [each for each in rows if each.bot_id == "me"]
    return allotment_problem(parse_config(own.config), instrument(), rows, dec(there))


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([row("me", 200)], id="alone"),
        pytest.param([row("a", 300), row("me", 200)], id="what-is-left-is-just-enough"),
        pytest.param([row("me", 200), row("z", 400)], id="a-later-bot-has-to-wait-not-this-one"),
        pytest.param([row("a", 400, left="300"), row("me", 200)], id="another-has-bought-and-holds-less-quote"),
        pytest.param([row("a", 400, symbol="ETH/BTC"), row("me", 200)], id="another-money"),
        pytest.param([row("me", 200, left="1")], id="it-has-its-share-already"),
        pytest.param([row("a", 600, left="450"), row("me", 200, left="0")], id="nothing-more-is-asked-for"),
    ],
)
def test_it_gets_what_it_asks_for(rows: list[BotRow]) -> None:
    assert problem(*rows) is None


def test_it_is_refused_when_earlier_bots_have_too_much() -> None:
    assert problem(row("a", 301), row("me", 200)) == (
        "broker.cash: 200 USDT cannot be allotted: account main holds 500, and 1 other bots have 301 of it"
    )


def test_a_later_bot_that_trades_already_keeps_its_share() -> None:
    assert problem(row("me", 200), row("z", 400, left="400")) is not None


def test_a_book_of_paper_money_is_no_share() -> None:
    own = row("me", 200, left="150")
    paper = (
        own.carried
        and own.carried.config
        and own.carried.config.model_copy(
            update={"broker": own.carried.config.broker.model_copy(update={"trading_mode": "paper"})}
        )
    )
    own = own.model_copy(update={"carried": own.carried and own.carried.model_copy(update={"config": paper})})
    assert problem(own, there="200") is None
    assert problem(own, there="199") is not None


def test_only_what_is_asked_for_on_top_must_be_there() -> None:
    grown = row("me", 100, left="50").model_copy(update={"config": row("me", 200).config})
    assert problem(grown, there="150") is None  # 50 are its own, 100 are new
    assert problem(grown, there="149") is not None
