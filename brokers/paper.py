"""The paper broker: fills by the pure rule of `domain.paper` and keeps nothing."""

from domain.orders import OrderReport, OrderRequest
from domain.paper import paper_report


class PaperBroker:
    """Fills market orders at the price that the decision carries. Its state is the bot's own.

    A repeated request gives the same report, so a retried paper order cannot fill twice or differently.
    """

    async def find(self, request: OrderRequest) -> OrderReport | None:
        """Return None: nothing was ever sent, so there is nothing to be found."""
        del request
        return None

    async def submit(self, request: OrderRequest) -> OrderReport:
        """Fill the order at once and whole, or reject it with the reason that a venue would give."""
        return paper_report(request)
