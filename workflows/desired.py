"""Desired state of a bot: what its row and its people want, and how that becomes what it trades by.

Rows come with a version; an older one than is known is ignored. A person's command acts at once and is journaled to
the row; until that has landed, the row's own value for it is older news, and the version that it makes is a guess:
only the database numbers versions. An invalid configuration leaves the bot on its last valid version, with the reasons
shown.

The database and the venue are asked in the background: while one of them is away, the bot keeps its exits and obeys.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey

with workflow.unsafe.imports_passed_through():
    from domain.journal import DesiredEntry, JournalReceipt
    from domain.state import BotRow, BotState, Carried, Prepared
    from workflows.applying import fund, refusal
    from workflows.inquiries import check_config, read_row, unless
    from workflows.outbox import Outbox

SYMBOL = SearchAttributeKey.for_keyword("Symbol")
STRATEGY = SearchAttributeKey.for_keyword("Strategy")

# A person who proposes a configuration is answered after so long, even if the venue is not.
PATIENCE = timedelta(seconds=60)


class Desired:
    """Takes desired state in, has it checked, and applies it. What it decides lives in the bot's state."""

    def __init__(self, state: BotState, outbox: Outbox, on_news: Callable[[], None], *, loaded: bool) -> None:
        """Serve one run of a bot.

        Args:
            on_news: told when something was read or checked, or was learned from the journal.
            loaded: the state is the truth already; otherwise the row is read before anything else is done.
        """
        self._state = state
        self._outbox = outbox
        self._on_news = on_news
        self.loaded = loaded
        self.proposal: dict[str, Any] | None = None
        self.successor: BotRow | None = None
        self._reload = True
        self._reconsider = False
        self._checked: tuple[int, Prepared] | None = None

    # what comes in

    def take_row(self, row: BotRow) -> None:
        """Take a row, unless it is older than what is known."""
        state = self._state
        if row.uid != state.row.uid:
            self.reload()  # another bot may have taken the id: the database knows which of the two is there now
            return
        if row.version <= state.row.version:
            return
        pending = self._outbox.commands_pending
        if all(command.enabled is None for command in pending):
            state.enabled = row.enabled
        if all(command.desired_paused is None for command in pending):
            state.paused = row.desired_paused
        proposed = [command.config for command in pending if command.config is not None]
        if proposed:
            row = row.model_copy(update={"config": proposed[-1]})
        state.row, state.fresh = row.bare(), True

    def reload(self, *, reconsider: bool = False) -> None:
        """Have the row read again, and checked again if it was refused and is to be reconsidered."""
        self._reload = True
        self._reconsider = self._reconsider or reconsider

    def command(self, *, enabled: bool | None = None, paused: bool | None = None, author: str) -> None:
        """Obey a person at once, and have the row say the same."""
        if enabled is not None:
            self._state.enabled = enabled
        if paused is not None:
            self._state.paused = paused
        self._outbox.record(DesiredEntry(enabled=enabled, desired_paused=paused, author=author))

    def propose(self, raw: dict[str, Any], prepared: Prepared, author: str) -> None:
        """Take a person's configuration, that was checked, as the next version, and have the row say the same."""
        state, row = self._state, self._state.row
        enabled = prepared.config.enabled if prepared.config else state.enabled
        # What is in force already makes no version.
        known = self._unchanged_by(raw) and state.observed_version == row.version and state.enabled == enabled
        version = row.version if known else row.version + 1
        state.row = row.model_copy(update={"config": raw, "version": version, "enabled": enabled})
        state.enabled, state.fresh = enabled, True
        self._checked = (state.row.version, prepared)
        self._outbox.record(DesiredEntry(config=raw, enabled=enabled, author=author))

    def on_receipt(self, receipt: JournalReceipt, command: bool) -> None:
        """Learn what the row said when a batch was written."""
        if receipt.orphaned:
            self._state.enabled = False
            self._on_news()
        elif command and receipt.version is not None:
            self._number(receipt.version, overtaken=receipt.overtaken)

    # what is asked, in the background

    async def run_loads(self) -> None:
        """Read the row whenever there is a reason to, for ever."""
        while True:
            await workflow.wait_condition(lambda: self._reload)
            self._reload = False
            row = await read_row(self._state.row.bot_id)
            before = self._known()
            self._take_loaded(row)
            if before != self._known():
                self._on_news()

    async def run_checks(self) -> None:
        """Have configurations checked for ever, one at a time: a newer one takes the place of the one under way."""
        while True:
            await workflow.wait_condition(lambda: self.busy)
            if self.proposal is not None:
                await self._check_proposal(self.proposal)
            else:
                await self._check_row(self._state.row)
            self._on_news()

    @property
    def busy(self) -> bool:
        """True while a configuration is to be checked."""
        return self.loaded and (self.proposal is not None or self._unchecked)

    # what is done about it

    def take_in(self) -> bool:
        """Apply what can be applied now. Returns whether another configuration has replaced an earlier one."""
        state = self._state
        first = state.observed_version is None
        if state.fresh:
            if self._unchanged:
                self._observe()
            elif self._checked is not None and self._checked[0] == state.row.version:
                return self._apply(self._checked[1]) and not first
        elif state.waiting is not None and state.carried.book.position is None:
            return self._apply(state.waiting)
        return False

    def _number(self, version: int, *, overtaken: bool) -> None:
        """Count as the database does, now that it has written a command; see `JournalReceipt` for its answer.

        A row that may say something else than the bot knows is read again, once no command is on its way to it.
        """
        state, known = self._state, self._state.row.version
        if version > known and not overtaken:
            state.row = state.row.model_copy(update={"version": version})
            state.observed_version = version if not state.fresh else state.observed_version
        elif (overtaken or version < known) and not self._outbox.commands_pending:
            # The row of now is taken then, however far the bot had counted, and none that is older.
            state.row = state.row.model_copy(update={"version": version - 1})
            self.reload()

    def _take_loaded(self, row: BotRow | None) -> None:
        state, first = self._state, not self.loaded
        self.loaded = True
        if row is None:
            state.enabled = False
        elif first:
            self._begin(row)
        elif row.uid != state.row.uid:
            self.successor, state.enabled = row, False
        else:
            self.take_row(row)
            if self._reconsider and self._state.rejected_version == row.version:
                state.row, state.fresh, self._checked = row.bare(), True, None
        self._reconsider = False

    def _known(self) -> tuple[bool, bool, bool, int]:
        state = self._state
        return self.loaded, state.enabled, state.fresh, state.row.version

    def _begin(self, row: BotRow) -> None:
        """Begin a life from the row as it is now: with the books of an earlier life, if it had one."""
        state = self._state
        carried = row.carried or Carried()
        state.carried = carried.model_copy(update={"stamp": max(carried.stamp, state.carried.stamp)})
        state.rejected_version = row.rejected_version
        if row.uid != state.row.uid:
            state.row = row.bare().model_copy(update={"version": -1})
        self.take_row(row)

    async def _check_proposal(self, raw: dict[str, Any]) -> None:
        """Check a configuration that came by signal: the sender sees the answer in the events only."""
        check = check_config(raw, self._state.row.bot_id, patience=PATIENCE)
        prepared = await unless(lambda: self.proposal is not raw, check)
        if prepared is None:
            return
        self.proposal = None
        problem = refusal(self._state.carried, prepared)
        if problem is None:
            self.propose(raw, prepared, author="signal reconfigure")
            return
        self._state.last_error = f"configuration by signal refused: {problem}"
        self._outbox.event("config_rejected", self._state.last_error, severity="error")
        self._outbox.row_changed()

    async def _check_row(self, row: BotRow) -> None:
        def overtaken() -> bool:
            return self.proposal is not None or self._state.row.version != row.version

        prepared = await unless(overtaken, check_config(row.config, row.bot_id))
        if prepared is not None:
            self._checked = (row.version, prepared)

    @property
    def _unchecked(self) -> bool:
        checked = self._checked is not None and self._checked[0] == self._state.row.version
        return self._state.fresh and not checked and not self._unchanged

    @property
    def _unchanged(self) -> bool:
        """True when the row's configuration is what the bot trades by: only its other columns have changed."""
        return self._unchanged_by(self._state.row.config)

    def _unchanged_by(self, raw: dict[str, Any]) -> bool:
        state = self._state
        return state.observed_version is not None and digest(raw) == state.carried.applied

    def _apply(self, prepared: Prepared) -> bool:
        """Trade by a checked configuration from now on, or say why not. Returns whether it is in force."""
        state = self._state
        config, instrument = prepared.config, prepared.instrument
        problem = refusal(state.carried, prepared)
        if problem or config is None or instrument is None:
            self._refuse(problem or "no configuration")
            return False
        if state.carried.book.position is not None and config.trading.on_reconfigure == "after_exit" and state.config:
            self._outbox.event("config_waiting", f"version {state.row.version} waits for the position to be closed")
            state.waiting, state.fresh = prepared, False
            return False
        fund(state, self._outbox, config, instrument)
        version = state.row.version
        state.carry(config=config, instrument=instrument, version=version, applied=digest(state.row.config))
        state.observed_version, state.problems = version, ()
        self._settle()
        workflow.upsert_search_attributes(
            [SYMBOL.value_set(instrument.symbol), STRATEGY.value_set(config.strategy.type)]
        )
        self._outbox.event("config_applied", f"configuration version {version} applied")
        self._outbox.row_changed()
        return True

    def _observe(self) -> None:
        """Note that the row's version is in force: its configuration is the one that was applied before."""
        state, version = self._state, self._state.row.version
        state.observed_version, state.problems = version, ()
        state.carry(version=min(state.carried.version, version))  # it may have been applied under a number too high
        self._settle()
        self._outbox.row_changed()

    def _refuse(self, *problems: str) -> None:
        """Refuse the row's configuration; the last valid one stays in force."""
        state = self._state
        state.rejected_version, state.problems = state.row.version, problems
        self._settle()
        state.last_error = f"version {state.row.version} refused: " + "; ".join(problems)
        self._outbox.event("config_rejected", state.last_error, severity="error")
        self._outbox.tell("error", f"{state.row.bot_id}: configuration refused", state.last_error, severity="error")
        self._outbox.row_changed()

    def _settle(self) -> None:
        """Note that the row's configuration was dealt with; the document itself is then not carried any further."""
        state = self._state
        state.row = state.row.model_copy(update={"config": {}})
        state.fresh, state.waiting = False, None


def digest(raw: dict[str, Any]) -> str:
    """Return what tells two configurations apart, as far as trading goes: `enabled` is a column of its own."""
    traded = {key: value for key, value in raw.items() if key != "enabled"}
    return hashlib.sha256(json.dumps(traded, sort_keys=True).encode()).hexdigest()
