"""The paper broker: fills by the pure rule of `domain.paper` and keeps nothing."""

from domain.errors import OrderUncertain
from domain.orders import OrderReport, OrderRequest
from domain.paper import paper_report
from domain.ports import OrderHabits, SendWindow


class PaperBroker:
    """Fills market orders at the price that the decision carries. Its state is the bot's own.

    A repeated request gives the same report, so a retried paper order cannot fill twice or differently. A limit order
    rests: that the market has traded through its price is seen by the bot's own watch.
    """

    async def habits(self, request: OrderRequest) -> OrderHabits:
        """Return that nothing is ever under way."""
        del request
        return OrderHabits(finds=True, late_after=0.0)

    async def find(self, request: OrderRequest) -> OrderReport | None:
        """Return None: nothing was ever sent, so there is nothing to be found."""
        del request
        return None

    async def submit(self, request: OrderRequest, window: SendWindow) -> OrderReport:
        """Fill the order at once and whole, let it rest, or reject it with the reason that a venue would give."""
        del window
        return paper_report(request)

    async def cancel(self, request: OrderRequest) -> OrderReport:
        """Cancel a limit order; a market order has ended before anybody can cancel it."""
        name = request.intent.client_order_id
        if request.intent.type != "limit":
            raise OrderUncertain(f"no paper order {name} rests")
        return OrderReport(client_order_id=name, status="cancelled", venue_order_id=f"paper-{name}")
