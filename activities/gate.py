"""The gate of a process: what keeps bots from entries, whatever they themselves think."""

from activities.halting import Halts
from domain.instruments import AccountRef
from domain.ports import KeyStandings


class Gate:
    """Implements `EntryGate`: closed by a halt, and for an account whose keys its venue refuses."""

    def __init__(self, halts: Halts, keys: KeyStandings) -> None:
        self._halts = halts
        self._keys = keys

    def closed(self, account: AccountRef | None) -> str | None:
        """Return why no entry may be made now, or None."""
        return self._halts.closed() or (self._keys.keeps_out(account) if account else None)
