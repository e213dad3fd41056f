"""Adoption: what the venue holds of a bot, for a history that may have gone back."""

import asyncio
from datetime import datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.failures import final, retryable
from domain.adoption import AdoptionRequest, Found, FoundOrder
from domain.errors import AccountRefused, VenueMisfit, VenueUnavailable
from domain.orders import order_prefix, recognised
from domain.ports import Accounts

HISTORY_WAS_RESET = "HistoryWasReset"


class AdoptionActivities:
    """Reads the orders of bots at their venues."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    @activity.defn
    async def find_orders(self, request: AdoptionRequest) -> Found:
        """Return the bot's orders from the last known one on, as the venue knows them."""
        prefix = order_prefix(request.uid)
        try:
            orders = await self._accounts.orders(
                request.account, request.instrument, prefix=prefix, since=request.since
            )
        except VenueUnavailable as error:
            raise retryable(error) from error
        except (VenueMisfit, AccountRefused) as error:
            raise final(error) from error
        by_id = {order.report.client_order_id: order for order in orders}
        places = await asyncio.to_thread(recognised, request.uid, by_id.keys(), after=request.after)
        found = [FoundOrder(sequence=s, leg=leg, order=by_id[name]) for name, (s, leg) in places.items()]
        found.sort(key=lambda each: (each.sequence, each.leg))
        return Found(run_id=activity.info().workflow_run_id, orders=tuple(found))


def refuse_if_reset(adopted_run: str | None, *, live: bool, began: datetime) -> None:
    """Refuse to act for a live bot whose history may have gone back since the venue's orders were adopted.

    A history that was reset goes on under another run. One that was restored with its server does not show; but then
    every worker was started anew, and what was scheduled before that is suspect.

    Args:
        adopted_run: the run in which they were; None: they are still to be adopted.
        began: when this process did.
    """
    info = activity.info()
    if live and (adopted_run != info.workflow_run_id or info.scheduled_time < began):
        raise history_gone_back("the history may have gone back: the venue's orders have to be adopted first")


def history_gone_back(reason: str) -> ApplicationError:
    """Return the error that has a bot adopt the venue's orders before it does anything else."""
    return ApplicationError(reason, type=HISTORY_WAS_RESET, non_retryable=True)
