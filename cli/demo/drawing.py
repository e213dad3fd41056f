"""Draws a scene: a headline with the time, a table of the bots, and what happened last. Fits 80 columns and more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.bots.tables import price, signed
from cli.demo.scene import Actor, Line, Mood, Phase, Scene

LINES_SHOWN = 7
_STYLES: dict[Mood, str] = {"plain": "", "good": "green", "bad": "red", "note": "cyan"}
_LOUD: dict[Mood, str] = {"plain": "bold", "good": "bold green", "bad": "bold white on red", "note": "bold cyan"}
_BORDERS: dict[Phase, str] = {"trading": "cyan", "killed": "bold red", "recovered": "green", "closing": "cyan"}
_STATES = {"running": "green", "starting": "cyan", "stopping": "cyan", "paused": "yellow", "stopped": "dim"}
_BLOCKS = "▁▂▃▄▅▆▇█"
_TREND = 12
# A candle of one second is seen when it is over and asked for: up to so many seconds after it began all is well.
_YOUNG, _OLD = 4.0, 6.0
_NEW_SECONDS = 2.0
_PINNED, _PINNED_SECONDS = 3, 25.0
_ECHO = 4


def draw(scene: Scene, *, width: int) -> RenderableType:
    """Return the whole scene as wide as the terminal."""
    return Group(
        _header(scene, width=width),
        bots_table(scene, width=width),
        news(scene),
        _footer(scene, width=width),
    )


def _header(scene: Scene, *, width: int) -> RenderableType:
    text, mood = scene.headline
    worker = Text("no worker", style="bold red") if scene.worker is None else Text(f"worker {scene.worker}")
    figures = Text.assemble(f"{scene.trades} trades, {scene.wins} won · ", signed(scene.pnl), " USDT · ", worker)
    time = time_line(scene, width=max(10, width - figures.cell_len - 7))
    rows = Group(
        _spread(Text(text, style=_LOUD[mood]), Text(_countdown(scene), style="bold")),
        _spread(time, figures),
    )
    return Panel(rows, title="[bold]STEADYHAND[/] demo", title_align="left", border_style=_BORDERS[scene.phase])


def _spread(left: Text, right: Text, *, width: int | None = None) -> Table:
    """Return a line with one text at each end, by default as wide as there is room; the left one gives way."""
    grid = Table.grid(expand=width is None)
    grid.width = width
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row(left, right)
    return grid


def time_line(scene: Scene, *, width: int) -> Text:
    """Return the time as a line, with a cross where the worker is killed."""
    done = min(width, int(width * scene.elapsed / scene.seconds))
    killed = min(width - 1, int(width * scene.kill_at / scene.seconds))
    line = Text("━" * done, style="cyan") + Text("━" * (width - done), style="bright_black")
    cross = Text("✗", style="bold red" if scene.since_kill is not None else "red dim")
    return line[:killed] + cross + line[killed + 1 :]


@dataclass(frozen=True)
class _Column:
    """A column: its content, and from which width of the terminal on it is shown."""

    title: str
    width: int | None
    cell: Callable[[Actor], Text]
    right: bool = False
    from_width: int = 0


def bots_table(scene: Scene, *, width: int) -> Table:
    """Return a row per bot; narrow terminals get fewer columns."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=0, header_style="dim")
    columns = [column for column in _columns(wide=width >= 112) if width >= column.from_width]
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            width=column.width,
            ratio=None if column.width else 1,
            no_wrap=True,
            overflow="ellipsis",
        )
    for actor in scene.actors:
        table.add_row(*(column.cell(actor) for column in columns))
    return table


def _columns(*, wide: bool) -> list[_Column]:
    return [
        _Column("bot", 18, _name),
        _Column("state", 10, _state),
        _Column("price", 10, lambda actor: Text(price(actor.price)), right=True),
        _Column("trend", _TREND, lambda actor: trend(actor.prices), from_width=112),
        _Column("position", 19 if wide else 10, lambda actor: _position(actor, wide=wide), right=True),
        _Column("P&L", 9, lambda actor: signed(actor.pnl), right=True),
        _Column("won", 5, _won, right=True),
        _Column("candle", 6, _candle, right=True),
        _Column(" last event", None, _event, from_width=96),
    ]


def news(scene: Scene) -> RenderableType:
    """Return the newest lines, the last one at the bottom; new ones shine."""
    shown = _chosen(scene)
    grid = Table.grid(padding=(0, 1, 0, 0), expand=True)
    grid.add_column(width=8, no_wrap=True)
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for line in shown:
        grid.add_row(Text(_clock(line.at), style="dim"), line_text(line, new=_is_new(line, scene.now)))
    for _ in range(LINES_SHOWN - len(shown)):
        grid.add_row("", "")
    return Panel(grid, box=box.ROUNDED, border_style="bright_black", title="what happens", title_align="left")


def _chosen(scene: Scene) -> list[Line]:
    """Return the newest lines, and for a while those of the show itself, however much the bots do meanwhile."""
    own = [line for line in scene.lines if not line.who and (scene.now - line.at).total_seconds() < _PINNED_SECONDS]
    kept = own[-_PINNED:]
    others = [line for line in scene.lines if line not in kept][-(LINES_SHOWN - len(kept)) :]
    return sorted(kept + others, key=lambda line: line.at)


def line_text(line: Line, *, new: bool = False) -> Text:
    """Return a line in the colours of its mood."""
    if not line.who:
        return Text(line.text, style=_LOUD[line.mood])
    style = _STYLES[line.mood]
    return Text.assemble((f"{line.who:<14} ", "bold" if new else "dim"), (line.text, f"bold {style}" if new else style))


def trend(prices: Sequence[Decimal]) -> Text:
    """Return the last prices as a row of bars, from the lowest to the highest of them, green when it ends higher."""
    if len(prices) < 2:
        return Text("")
    step = max(1, len(prices) // _TREND)
    shown = list(prices)[::-1][::step][:_TREND][::-1]
    low, high = min(shown), max(shown)
    span = high - low
    bars = [_BLOCKS[int((value - low) / span * (len(_BLOCKS) - 1)) if span else 0] for value in shown]
    return Text("".join(bars), style="green" if shown[-1] >= shown[0] else "red")


def amount(quantity: Decimal) -> str:
    """Return a quantity in few characters: four significant digits or whole units."""
    size = abs(quantity)
    places = 0 if size >= 1_000 else 2 if size >= 10 else 3 if size >= 1 else 4
    return f"{quantity:,.{places}f}"


def _footer(scene: Scene, *, width: int) -> RenderableType:
    # Room is left for the ^C that a terminal echoes at the end of the last line: it must not wrap.
    left, right = Text(f" Web UI  {scene.link}", style="dim"), Text("Ctrl-C ends early", style="dim")
    return _spread(left, right, width=width - _ECHO)


def _name(actor: Actor) -> Text:
    return Text.assemble((actor.name, "bold reverse" if actor.fresh else "bold"), " ", (actor.base, "dim"))


def _state(actor: Actor) -> Text:
    if not actor.watched and actor.state != "stopped":
        return Text("○ unseen", style="bold red")
    return Text(f"● {actor.state}", style=_STATES.get(actor.state, "bold red"))


def _position(actor: Actor, *, wide: bool) -> Text:
    if actor.quantity is None:
        return Text("flat", style="dim")
    text = Text(f"{amount(actor.quantity)} {actor.base}" if wide else amount(actor.quantity))
    if wide and actor.open_pct is not None:
        text.append(f" {actor.open_pct:+.2f}%", style="green" if actor.open_pct >= 0 else "red")
    return text


def _won(actor: Actor) -> Text:
    return Text(f"{actor.wins}/{actor.trades}" if actor.trades else "—", style="" if actor.trades else "dim")


def _candle(actor: Actor) -> Text:
    age = actor.candle_age
    if age is None:
        return Text("—", style="dim")
    style = "green" if age < _YOUNG else "yellow" if age < _OLD else "bold red"
    return Text(f"{age:.1f} s", style=style)


def _event(actor: Actor) -> Text:
    return Text(f" {actor.event}", style="bold" if actor.fresh else "dim")


def _is_new(line: Line, now: datetime) -> bool:
    return (now - line.at).total_seconds() < _NEW_SECONDS


def _clock(moment: datetime) -> str:
    return moment.astimezone().strftime("%H:%M:%S")


def _countdown(scene: Scene) -> str:
    return f"{_minutes(min(scene.elapsed, scene.seconds))} / {_minutes(scene.seconds)}"


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"
