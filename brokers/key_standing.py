"""Whether a venue accepts the keys of an account, as far as its answers tell."""

import time

from domain.accounts import KeyState

# Refused keys are not tried again for so many seconds: bots of an account ask by the hundred.
_REST_SECONDS = 60.0
# What was refused to an order only an order can try: that of an exit at any time, that of an entry after so long.
_TRIAL_SECONDS = 600.0


class KeyStanding:
    """Learns from every answer to a signed request.

    Keys that may read are not yet keys that may trade: what was refused to an order, a read does not take back.
    """

    def __init__(self) -> None:
        self.state: KeyState | None = None
        self._refused_at = 0.0

    def refuse(self, told: str, *, order: bool) -> None:
        """Note that the venue has refused a request for its keys."""
        self.state = KeyState(refused=told, orders=order)
        self._refused_at = time.monotonic()

    def accept(self, *, order: bool) -> None:
        """Note that the venue has accepted the keys of a request."""
        if order or self.state is None or not self.state.orders:
            self.state = KeyState(refused=None, orders=order)

    def rests(self, *, order: bool) -> str | None:
        """Return why the venue is not asked now, or None; reads go on where orders alone were refused."""
        state, left = self.state, self._refused_at + _REST_SECONDS - time.monotonic()
        if state is None or state.refused is None or left <= 0 or (state.orders and not order):
            return None
        return f"the keys were refused ({state.refused}) and are tried again in {left:.0f} s"

    def keeps_out(self) -> str | None:
        """Return why no entry may be made, or None. Exits do not ask."""
        state = self.state
        if state is None or state.refused is None:
            return None
        if state.orders and time.monotonic() - self._refused_at >= _TRIAL_SECONDS:
            return None
        return f"the venue refuses the keys: {state.refused}"
