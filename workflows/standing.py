"""How a bot shows that it stands well or not: its status, its failures, and the alerts that it gives."""

from temporalio import workflow
from temporalio.common import SearchAttributeKey

with workflow.unsafe.imports_passed_through():
    from domain.config import BotConfig
    from domain.journal import BotStatus
    from domain.state import BotState
    from domain.watch import WatchResult
    from workflows.outbox import Outbox
    from workflows.stance import status_of

BOT_STATUS = SearchAttributeKey.for_keyword("BotStatus")

_LONGEST_REASON = 500


class Standing:
    """Notes how a bot fares, in its state, its row, its events and its search attribute."""

    def __init__(self, state: BotState, outbox: Outbox) -> None:
        self._state = state
        self._outbox = outbox

    def show(self, status: BotStatus | None = None) -> None:
        """Show how the bot stands, where that has changed."""
        status = status or status_of(self._state)
        if status != self._state.status:
            self._state.status = status
            workflow.upsert_search_attributes([BOT_STATUS.value_set(status)])
            self._outbox.row_changed()

    def failed(self, reason: str, config: BotConfig | None) -> None:
        """Note a failure; only the first of several in a row is told."""
        state, reason = self._state, reason[:_LONGEST_REASON]
        state.failures += 1
        state.error_count += 1
        state.last_error = reason
        if state.failures == 1:
            self._outbox.event("error", reason, severity="error")
            if config is None or config.notifications.error_notifications:
                self._outbox.tell("error", f"{state.row.bot_id}: error", reason, severity="error")
        self._outbox.row_changed()
        self.show()

    def recovered(self) -> None:
        """Note that what had failed works again."""
        self._state.failures = 0
        self._outbox.event("recovered", "the bot works again")
        self._outbox.row_changed()
        self.show()

    def differs(self, how: str, config: BotConfig) -> None:
        """Have a person look at how books and venue differ; until it is explained, nothing is bought."""
        state = self._state
        if state.carried.difference is not None:
            return
        state.carry(difference=how)
        state.last_error = how
        self._outbox.row_changed()
        self._outbox.event("difference", how, severity="error")
        advice = f"Look at the exchange, then: bots resolve {state.row.bot_id} --sold QUANTITY@PRICE, or --explained"
        self._outbox.tell("difference", f"{config.name}: books and venue differ", f"{how}. {advice}", severity="error")

    def limited(self, result: WatchResult, config: BotConfig) -> None:
        """Tell of a daily limit, once a day."""
        state, reason = self._state, result.reason or ""
        state.carry(guards=state.carried.guards.after_alert(result.sighting.venue_time or 0))
        self._outbox.row_changed()
        self._outbox.event("risk_limit", f"no entries until the next UTC day: {reason}", severity="warning")
        if config.notifications.risk_alerts:
            self._outbox.tell("risk_alert", f"{config.name}: risk limit", reason, severity="warning")
