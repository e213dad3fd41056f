"""Equity, drawdown and monthly returns of a backtest, as points and as inline SVG."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from backtest.result import Result

WIDTH, HEIGHT = 1000, 220
_LEFT, _BOTTOM, _TOP = 64, 24, 10
_MOST_POINTS = 2_000


class Point(NamedTuple):
    """A value at a moment, milliseconds UTC."""

    at: int
    value: float


class Month(NamedTuple):
    """What a month's trades have earned, as a share of the equity before them."""

    year: int
    month: int
    gained: float


def equity_curve(result: Result) -> list[Point]:
    """Return the equity after each trade, and at the end with the open position at the last close."""
    equity = result.config.broker.cash
    points = [Point(result.started, float(equity))]
    for trade in result.trades:
        equity += trade.net_pnl
        points.append(Point(trade.exit_time, float(equity)))
    points.append(Point(result.ended, float(result.equity())))
    return points


def drawdown_curve(equity: Sequence[Point]) -> list[Point]:
    """Return how far the equity is below its highest so far, in percent, 0 or less."""
    points, peak = [], float("-inf")
    for at, value in equity:
        peak = max(peak, value)
        points.append(Point(at, (value / peak - 1) * 100 if peak > 0 else 0.0))
    return points


def monthly_returns(result: Result) -> list[Month]:
    """Return the months that have seen a trade end, oldest first."""
    months: dict[tuple[int, int], list[float]] = {}
    equity = float(result.config.broker.cash)
    for trade in result.trades:
        when = datetime.fromtimestamp(trade.exit_time / 1000, UTC)
        sums = months.setdefault((when.year, when.month), [equity, 0.0])
        sums[1] += float(trade.net_pnl)
        equity += float(trade.net_pnl)
    return [Month(*when, gained / before if before else 0.0) for when, (before, gained) in months.items()]


def line_chart(points: Sequence[Point], *, name: str, unit: str, filled: bool = False) -> str:
    """Return a line of points as SVG, a step at each of them, with its scale."""
    points = _thinned(points)
    start, end = points[0].at, max(points[-1].at, points[0].at + 1)
    low, high = _range([point.value for point in points])
    right, bottom = WIDTH - 10, HEIGHT - _BOTTOM

    def x(at: int) -> float:
        return _LEFT + (at - start) / (end - start) * (right - _LEFT)

    def y(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - _TOP)

    path = f"M{x(points[0].at):.1f} {y(points[0].value):.1f}" + "".join(
        f"H{x(point.at):.1f}V{y(point.value):.1f}" for point in points[1:]
    )
    area = f'<path class="area" d="{path}V{y(high if filled else low):.1f}H{_LEFT}Z"/>'
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name}" class="{name}">'
        f"{_scale(low, high, y, unit)}{_dates(start, end, x)}{area}"
        f'<path class="line" d="{path}"/></svg>'
    )


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """Return so many points that each has room, the least and the greatest of each stretch among them."""
    stride = -(-2 * len(points) // _MOST_POINTS)
    if stride <= 2:
        return points
    kept = [points[0]]
    for k in range(0, len(points), stride):
        stretch = points[k : k + stride]
        extremes = {min(stretch, key=lambda point: point.value), max(stretch, key=lambda point: point.value)}
        kept += sorted(extremes, key=lambda point: point.at)
    return [*kept, points[-1]]


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
    return (low - margin, high + margin) if high > 0 else (low - margin, 0.0)


def _scale(low: float, high: float, y: object, unit: str) -> str:
    place = y if callable(y) else float
    step = _nice((high - low) / 4)
    value, marks = -(-low // step) * step, []
    digits = max(0, -int(f"{step:e}".split("e")[1]))
    while value <= high:
        at = place(value)
        marks.append(
            f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - 10}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{value:,.{digits}f}{unit}</text>'
        )
        value += step
    return "".join(marks)


def _dates(start: int, end: int, x: object) -> str:
    place = x if callable(x) else float
    form = "%b %Y" if end - start > 200 * 86_400_000 else "%d %b" if end - start > 3 * 86_400_000 else "%d %b %H:%M"
    marks = []
    for k in range(1, 6):
        at = start + (end - start) * k // 6
        text = f"{datetime.fromtimestamp(at / 1000, UTC):{form}}"
        marks.append(f'<text x="{place(at):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{text}</text>')
    return "".join(marks)


def _nice(step: float) -> float:
    """Return the next of 1, 2, 5, 10, … that is not below a step."""
    power = 10.0 ** int(f"{step:e}".split("e")[1])
    return next((factor * power for factor in (1, 2, 5) if factor * power >= step), 10 * power)
