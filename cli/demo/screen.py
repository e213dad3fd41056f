"""Where the show is shown: redrawn in place in a terminal, a line every few seconds elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cli.bots.tables import signed
from cli.demo.drawing import draw, line_text
from cli.demo.scene import Line, Scene

EVERY_SECONDS = 5.0


class Screen:
    """Shows scenes on a console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._shown_at = -EVERY_SECONDS

    @contextmanager
    def open(self) -> Iterator[None]:
        """Show scenes while the block runs; the last one stays."""
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, auto_refresh=False) as self._live:
            yield
        self._live = None

    def show(self, scene: Scene) -> None:
        """Show a scene."""
        if self._live is not None:
            self._live.update(draw(scene, width=self._console.width), refresh=True)
        elif scene.elapsed - self._shown_at >= EVERY_SECONDS:
            self._shown_at = scene.elapsed
            self._console.print(compact(scene), soft_wrap=True)

    def tell(self, line: Line) -> None:
        """Show a line of the show itself at once; in a terminal it is part of the next scene."""
        if self._live is None:
            self._console.print(line_text(line), soft_wrap=True)


def compact(scene: Scene) -> Text:
    """Return a scene in one line."""
    watched = sum(actor.watched for actor in scene.actors)
    held = sum(actor.quantity is not None for actor in scene.actors)
    worker = "no worker" if scene.worker is None else f"worker {scene.worker}"
    return Text.assemble(
        f"{scene.elapsed:5.0f} s of {scene.seconds:.0f} · {watched} of {len(scene.actors)} bots watched · "
        f"{held} positions · {scene.trades} trades, {scene.wins} won · ",
        signed(scene.pnl),
        f" USDT · {worker}",
    )
