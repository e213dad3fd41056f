"""How the errors of our ports become Temporal's: what to retry, when, and what never."""

from datetime import timedelta

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.errors import AccountRefused, StoreUnavailable, UnknownBot, VenueMisfit, VenueUnavailable


def retryable(error: VenueUnavailable | StoreUnavailable) -> ApplicationError:
    """Return the failure of an attempt that should be made again, not before the venue's Retry-After.

    It is benign: whoever watches the database or the venue reports an outage once, not each attempt of each bot.
    """
    wait = error.retry_after if isinstance(error, VenueUnavailable) else None
    return ApplicationError(
        str(error),
        type=type(error).__name__,
        next_retry_delay=timedelta(seconds=wait) if wait is not None else None,
        category=ApplicationErrorCategory.BENIGN,
    )


def final(error: VenueMisfit | UnknownBot | AccountRefused) -> ApplicationError:
    """Return the failure of an activity that would fail in the same way for ever."""
    return ApplicationError(str(error), type=type(error).__name__, non_retryable=True)
