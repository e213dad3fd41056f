"""Which broker places an order."""

from brokers.habits import habits_of
from domain.errors import VenueMisfit
from domain.orders import OrderRequest
from domain.ports import Broker


class BrokerRegistry:
    """Finds the broker of an order. Without a live broker, orders that are not paper are refused.

    Args:
        paper: takes all orders that carry paper terms.
        live: takes all others, at exchanges whose habits are known.
    """

    def __init__(self, *, paper: Broker, live: Broker | None = None) -> None:
        self._paper = paper
        self._live = live

    def broker_for(self, request: OrderRequest) -> Broker:
        """Return the broker of this order: paper terms mean the paper broker.

        Raises:
            VenueMisfit: the order is live, and this process has no live broker, or its exchange trades on paper only.
        """
        if request.paper is not None:
            return self._paper
        if self._live is None:
            raise VenueMisfit("broker.trading_mode", "live orders are not available here; expected paper")
        habits_of(request.instrument.venue.name)
        return self._live
