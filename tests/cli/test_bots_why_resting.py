"""What `bots why` says of orders that rest."""

from decimal import Decimal

from cli.bots.why import Seen, _facts
from domain.decisions import Decision
from domain.state import BotState, Carried, InFlight
from domain.watch import Sighting
from tests.domain.builders import config, instrument, intent
from tests.support.bots import bot_row
from workflows.command import status_answer


def resting(side: str, kind: str, price: str) -> InFlight:
    wanted = intent().model_copy(update={"side": side, "type": kind, "price": Decimal(price)})
    decision = Decision(
        action="enter",
        key="k",
        reason="r",
        price=Decimal(100),
        candle_time=0,
        decided_at=0,
        config_version=1,
    )
    return InFlight(intent=wanted, decision=decision, phase="resting")


def test_an_offer_and_a_stop_at_the_exchange_are_facts() -> None:
    carried = Carried(
        config=config(),
        instrument=instrument(),
        in_flight=resting("buy", "limit", "99.1"),
        protection=resting("sell", "stop", "87"),
    )
    status = status_answer(BotState(row=bot_row(), carried=carried), journal_waiting=0)
    facts = dict(_facts(Seen("bot", Sighting(), None, status, ())))
    assert (facts["offer to buy"], facts["exchange stop"]) == ("99.1", "87")
