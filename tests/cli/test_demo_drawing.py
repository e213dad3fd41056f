"""What the audience sees, from fixed scenes, at the widths that terminals have."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from cli.demo.drawing import amount, draw, time_line, trend
from cli.demo.scene import Actor, Line, Scene
from cli.demo.screen import compact

NOW = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)

HOLDER = Actor(
    name="Knife Catcher",
    base="DOGE",
    state="running",
    watched=True,
    price=Decimal("0.24179"),
    prices=tuple(Decimal(value) for value in (5, 3, 1, 2, 8)),
    quantity=Decimal("20765.8"),
    open_pct=Decimal("1.234"),
    pnl=Decimal("-1234.567"),
    trades=23,
    wins=11,
    candle_age=1.84,
    event="bought @ 0.23885",
    fresh=True,
)
FLAT = replace(
    HOLDER, name="Dip Hunter", base="BTC", price=Decimal("199894.63"), quantity=None, open_pct=None, pnl=Decimal("87.5")
)
SCENE = Scene(
    phase="trading",
    elapsed=25.0,
    seconds=120.0,
    kill_at=48.0,
    worker=12345,
    since_kill=None,
    recovery=None,
    actors=(FLAT, HOLDER),
    lines=(
        Line(NOW - timedelta(seconds=9), "closed +12.30 (+0.25 %), take profit", who="Dip Hunter", mood="good"),
        Line(NOW, "worker 12345 killed with SIGKILL", mood="bad"),
    ),
    now=NOW,
    link="http://127.0.0.1:8233/namespaces/default/workflows/bot-dip-hunter",
)


def shown(renderable: RenderableType, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, legacy_windows=False)
    console.print(renderable)
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_a_scene_fits_the_terminal_and_shows_what_matters(width: int) -> None:
    text = shown(draw(SCENE, width=width), width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert len(text.splitlines()) < 24
    for word in ("Dip Hunter", "Knife Catcher", "199,894.63", "0.24179", "-1,234.57", "+87.50", "11/23", "1.8 s"):
        assert word in text
    assert "00:25 / 02:00" in text
    assert "46 trades, 22 won" in text
    assert "-1,147.07 USDT" in text
    assert "worker 12345" in text
    assert "their worker is killed in 23 s" in text
    assert "worker 12345 killed with SIGKILL" in text
    assert "flat" in text
    assert "20,766" in text


def test_a_wide_terminal_shows_more_than_a_narrow_one() -> None:
    narrow, middle, wide = (shown(draw(SCENE, width=width), width) for width in (80, 100, 120))
    assert any(
        line.split() == ["bot", "state", "price", "position", "P&L", "won", "candle"] for line in narrow.split("\n")
    )
    assert "bought @ 0.23885" in middle
    assert "trend" not in middle
    assert "▅▃▁▂█" in wide
    assert "20,766 DOGE +1.23%" in wide


def test_while_there_is_no_worker_that_is_the_headline() -> None:
    dead = replace(HOLDER, watched=False, candle_age=6.5)
    text = shown(draw(replace(SCENE, phase="killed", worker=None, since_kill=4.2, actors=(dead,)), width=100), 100)
    assert "NO WORKER: nobody has watched for 4.2 s" in text
    assert "no worker" in text
    assert "○ unseen" in text
    assert "6.5 s" in text


def test_the_successor_is_named_while_it_starts() -> None:
    text = shown(draw(replace(SCENE, phase="killed", worker=777, since_kill=2.0), width=100), 100)
    assert "worker 777 is starting: nobody has watched for 2.0 s" in text


def test_after_the_recovery_its_duration_is_the_headline() -> None:
    text = shown(draw(replace(SCENE, phase="recovered", since_kill=9.0, recovery=3.96), width=100), 100)
    assert "every bot went on 4.0 s later" in text


@pytest.mark.parametrize("width", [80, 120])
def test_the_last_line_has_room_for_the_echo_of_a_key(width: int) -> None:
    # A ^C that wraps would shift everything that is redrawn above it.
    assert cell_len(shown(draw(SCENE, width=width), width).splitlines()[-1]) <= width - 2


def test_lines_of_the_show_stay_for_a_while() -> None:
    own = Line(NOW - timedelta(seconds=20), "worker 12345 killed with SIGKILL", mood="bad")
    trades = tuple(Line(NOW, f"bought {number}", who="Dip Hunter") for number in range(20))
    text = shown(draw(replace(SCENE, lines=(own, *trades)), width=100), 100)
    assert "worker 12345 killed with SIGKILL" in text
    assert "bought 14" in text
    assert "bought 13" not in text
    later = replace(SCENE, lines=(own, *trades), now=NOW + timedelta(seconds=10))
    assert "killed with SIGKILL" not in shown(draw(later, width=100), 100)


def test_before_anything_is_known_dashes_stand_for_it() -> None:
    blank = replace(HOLDER, price=None, prices=(), quantity=None, open_pct=None, trades=0, wins=0, candle_age=None)
    text = shown(draw(replace(SCENE, actors=(blank,), lines=()), width=120), 120)
    assert text.count("—") == 3


def test_the_time_line_has_its_cross_where_the_worker_is_killed() -> None:
    line = time_line(SCENE, width=60)
    assert line.plain.index("✗") == 24  # 48 s of 120 s
    assert line.cell_len == 60


@pytest.mark.parametrize("elapsed", [0.0, 120.0, 500.0])
def test_the_time_line_keeps_its_length(elapsed: float) -> None:
    assert time_line(replace(SCENE, elapsed=elapsed), width=30).cell_len == 30


@pytest.mark.parametrize(
    ("prices", "bars", "style"),
    [
        ([], "", ""),
        ([1], "", ""),
        ([1, 1, 1], "▁▁▁", "green"),
        ([1, 2, 3, 4, 5, 6, 7, 8], "▁▂▃▄▅▆▇█", "green"),
        ([8, 1], "█▁", "red"),
    ],
)
def test_a_trend_goes_from_the_lowest_to_the_highest_price(prices: list[int], bars: str, style: str) -> None:
    text = trend([Decimal(price) for price in prices])
    assert text.plain == bars
    assert str(text.style) == style


def test_a_long_trend_ends_with_the_newest_price() -> None:
    text = trend([Decimal(1)] * 59 + [Decimal(2)])
    assert len(text.plain) == 12
    assert text.plain[-1] == "█"


@pytest.mark.parametrize(
    ("quantity", "text"),
    [("0.05077", "0.0508"), ("1.1052", "1.105"), ("15.369", "15.37"), ("20765.8", "20,766")],
)
def test_an_amount_has_few_characters(quantity: str, text: str) -> None:
    assert amount(Decimal(quantity)) == text


def test_one_line_says_it_all_where_there_is_no_terminal() -> None:
    assert compact(SCENE).plain == (
        "   25 s of 120 · 2 of 2 bots watched · 1 positions · 46 trades, 22 won · -1,147.07 USDT · worker 12345"
    )
