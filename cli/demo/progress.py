"""What the demo shows while it starts: a line for each step that is done, and what is still under way."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.status import Status
from rich.text import Text

from cli.output import OUT


class Progress:
    """Steps of the start, several at once: a spinner in a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._under_way: dict[str, float] = {}
        self._status: Status | None = OUT.status("") if OUT.is_terminal else None

    @property
    def seconds(self) -> float:
        """Seconds since the start began."""
        return time.monotonic() - self._began

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the progress while the block runs."""
        if self._status is not None:
            self._status.start()
        try:
            yield
        finally:
            if self._status is not None:
                self._status.stop()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show a step that takes as long as the block."""
        self.begin(name)
        yield
        self.done(name)

    def begin(self, *names: str) -> None:
        """Show steps as under way."""
        self._under_way |= dict.fromkeys(names, time.monotonic())
        self._renew()

    def done(self, name: str) -> None:
        """Print the line of a step. One that is not under way was done before: nothing happens."""
        began = self._under_way.pop(name, None)
        if began is not None:
            self._renew()
            line = (("  ✓ ", "green"), f"{name:<40}", (f"{time.monotonic() - began:5.1f} s", "dim"))
            OUT.print(Text.assemble(*line), soft_wrap=True)

    def _renew(self) -> None:
        if self._status is not None:
            self._status.update(Text(", ".join(self._under_way), style="dim"))
