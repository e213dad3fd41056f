"""A backtest as one page of HTML that needs nothing else: figures, curves, months, and trades on their candles."""

import json
from html import escape

import numpy as np

from backtest.result import Result
from cli.backtest.chart_script import CHART_SCRIPT
from cli.backtest.curves import Month, drawdown_curve, equity_curve, line_chart, monthly_returns
from cli.backtest.documents import figures, remarks
from domain.candles import Candles

_MOST_CANDLES = 60_000
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_TOOLS = """
<div class="tools"><button id="previous">‹ trade</button><button id="next">trade ›</button><button id="all">all</button>
<p>▲ entry ▼ exit · the wheel zooms, dragging moves</p></div>
"""
_STYLE = """
:root { --back:#fff; --text:#1c2330; --dim:#667085; --grid:#e4e7ec; --card:#f8f9fb; --line:#2563eb; --fall:#d92d20;
  --up:#12936f; --down:#d92d20; --entry:#2563eb; --exit:#b54708; }
@media (prefers-color-scheme: dark) { :root { --back:#12161d; --text:#e6e9ef; --dim:#98a2b3; --grid:#2a303b;
  --card:#1a1f28; --line:#6ea0ff; --fall:#f97066; --up:#3ccb9c; --down:#f97066; --entry:#8ab4ff; --exit:#fdb022; } }
body { margin:0 auto; max-width:1080px; padding:24px 16px 48px; background:var(--back); color:var(--text);
  font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif; }
h1 { font-size:24px; margin:0 0 4px; } h2 { font-size:16px; margin:32px 0 8px; }
p { margin:2px 0; color:var(--dim); font-size:13px; }
dl { display:grid; grid-template-columns:repeat(auto-fill,minmax(160px,1fr)); gap:8px; margin:20px 0 0; }
dl div { background:var(--card); border-radius:8px; padding:10px 12px; } dt { color:var(--dim); font-size:12px; }
dd { margin:0; font-size:18px; font-variant-numeric:tabular-nums; }
svg { width:100%; height:auto; display:block; } svg text { fill:var(--dim); font-size:11px; }
.grid { stroke:var(--grid); } .line { fill:none; stroke:var(--line);
  stroke-width:1.5; vector-effect:non-scaling-stroke; }
.area { fill:var(--line); opacity:.1; } .drawdown .line { stroke:var(--fall); } .drawdown .area { fill:var(--fall); }
canvas { width:100%; height:420px; display:block; touch-action:none; cursor:grab; }
table { border-collapse:collapse; width:100%; font-size:13px; font-variant-numeric:tabular-nums; }
th,td { padding:5px 6px; text-align:right; border-bottom:1px solid var(--grid); white-space:nowrap; }
th { color:var(--dim); font-weight:500; } .scroll { overflow-x:auto; }
.gain { color:var(--up); } .loss { color:var(--down); }
button { font:inherit; font-size:13px; color:inherit; background:var(--card); border:1px solid var(--grid);
  border-radius:6px; padding:3px 10px; cursor:pointer; white-space:nowrap; }
.tools { display:flex; gap:8px; align-items:center; margin-bottom:6px; } .tools p { margin-left:auto; }
"""


def report_page(result: Result, rules: str) -> str:
    """Return the page. It loads nothing."""
    equity = equity_curve(result)
    quote = escape(result.instrument.quote)
    name = escape(result.config.name)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
            f"<title>Backtest of {name}</title><style>{_STYLE}</style></head><body>",
            f"<h1>Backtest of {name}</h1>",
            *(f"<p>{escape(line)}</p>" for line in remarks(result, rules)),
            "<dl>"
            + "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in figures(result))
            + "</dl>",
            f"<h2>Equity after each trade, {quote}</h2>",
            line_chart(equity, name="equity", unit=""),
            "<h2>Drawdown</h2>",
            line_chart(drawdown_curve(equity), name="drawdown", unit=" %", filled=True),
            "<h2>Entries and exits</h2>",
            _TOOLS,
            '<canvas id="candles"></canvas>',
            "<h2>Months</h2>",
            _months_table(monthly_returns(result)),
            f'<script type="application/json" id="data">{_data(result)}</script>',
            f"<script>{CHART_SCRIPT}</script></body></html>",
        ]
    )


def _months_table(months: list[Month]) -> str:
    if not months:
        return "<p>no trade was closed</p>"
    by_year: dict[int, dict[int, float]] = {}
    for year, month, gained in months:
        by_year.setdefault(year, {})[month] = gained
    head = "".join(f"<th>{month}</th>" for month in _MONTHS)
    rows = "".join(
        f"<tr><th>{year}</th>{''.join(_gain(found.get(month)) for month in range(1, 13))}{_gain(_compound(found))}</tr>"
        for year, found in by_year.items()
    )
    return f'<div class="scroll"><table><tr><th></th>{head}<th>year</th></tr>{rows}</table></div>'


def _gain(value: float | None) -> str:
    if value is None:
        return "<td></td>"
    return f'<td class="{"gain" if value >= 0 else "loss"}">{value * 100:+.2f} %</td>'


def _compound(months: dict[int, float]) -> float:
    return float(np.prod([1 + gained for gained in months.values()]) - 1)


def _data(result: Result) -> str:
    candles = _thinned(result.history.candles[result.history.begin :])
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close)
    trades = [
        (t.entry_time, t.exit_time, float(t.entry_price), float(t.exit_price), t.net_pnl > 0, t.exit_reason)
        for t in result.trades
        if t.size
    ]
    text = json.dumps({"candles": [column.tolist() for column in columns], "trades": trades}, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _thinned(candles: Candles) -> Candles:
    """Return so many candles that a page stays small: neighbours are joined to longer ones."""
    size = -(-len(candles) // _MOST_CANDLES)
    if size <= 1:
        return candles
    starts = np.arange(0, len(candles), size)
    ends = np.minimum(starts + size, len(candles)) - 1
    return Candles(
        candles.open_time[starts],
        candles.open[starts],
        np.maximum.reduceat(candles.high, starts),
        np.minimum.reduceat(candles.low, starts),
        candles.close[ends],
        np.add.reduceat(candles.volume, starts),
    )
