"""The script of a report's price chart: candles with entries and exits on a canvas, zoomed by wheel, moved by hand."""

CHART_SCRIPT = """
const data = JSON.parse(document.getElementById('data').textContent);
const canvas = document.getElementById('candles'), pen = canvas.getContext('2d');
const [times, opens, highs, lows, closes] = data.candles, count = times.length;
const style = name => getComputedStyle(document.body).getPropertyValue(name).trim();
let first = Math.max(0, count - 400), last = count;

function place(time) {  // the candle that a moment falls into
  let low = 0, high = count;
  while (low < high) { const middle = (low + high) >> 1; times[middle] <= time ? low = middle + 1 : high = middle; }
  return low - 1;
}
const trades = data.trades.map(([entered, left, paid, got, won, reason]) =>
  ({entry: place(entered), exit: place(left), paid, got, won, reason}));

function draw() {
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * ratio; canvas.height = height * ratio;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const room = width - 70, bottom = height - 22, from = Math.floor(first), to = Math.min(count, Math.ceil(last));
  let low = Infinity, high = -Infinity;
  for (let i = from; i < to; i++) { low = Math.min(low, lows[i]); high = Math.max(high, highs[i]); }
  const margin = (high - low) * 0.06 || high * 0.01; low -= margin; high += margin;
  const x = i => (i + 0.5 - first) / (last - first) * room, y = p => (high - p) / (high - low) * bottom;
  pen.font = '11px system-ui, sans-serif'; pen.textBaseline = 'middle'; pen.lineWidth = 1;
  for (let k = 0; k <= 4; k++) {
    const p = low + (high - low) * (k + 0.5) / 5;
    pen.strokeStyle = style('--grid'); pen.beginPath(); pen.moveTo(0, y(p)); pen.lineTo(room, y(p)); pen.stroke();
    pen.fillStyle = style('--dim'); pen.textAlign = 'left'; pen.fillText(Number(p.toPrecision(6)), room + 6, y(p));
  }
  pen.textAlign = 'center';
  const dates = Math.max(1, Math.min(5, Math.floor(room / 140)));
  for (let k = 1; k <= dates; k++) {
    const i = Math.min(count - 1, Math.floor(first + (last - first) * k / (dates + 1)));
    pen.fillText(new Date(times[i]).toISOString().slice(0, 16).replace('T', ' '), x(i), bottom + 12);
  }
  const step = Math.max(1, Math.floor((to - from) / room)), body = Math.max(1, room / (last - first) * 0.7);
  for (let i = from; i < to; i += step) {
    const end = Math.min(to, i + step);
    let top = highs[i], floor = lows[i];
    for (let k = i; k < end; k++) { top = Math.max(top, highs[k]); floor = Math.min(floor, lows[k]); }
    const rises = closes[end - 1] >= opens[i];
    pen.strokeStyle = pen.fillStyle = style(rises ? '--up' : '--down');
    pen.beginPath(); pen.moveTo(x(i), y(top)); pen.lineTo(x(i), y(floor)); pen.stroke();
    const head = y(Math.max(opens[i], closes[end - 1])), foot = y(Math.min(opens[i], closes[end - 1]));
    pen.fillRect(x(i) - body / 2, head, body, Math.max(1, foot - head));
  }
  for (const trade of trades) {
    if (trade.exit < from || trade.entry >= to) continue;
    pen.strokeStyle = style(trade.won ? '--up' : '--down'); pen.lineWidth = 1.5; pen.setLineDash([4, 3]);
    pen.beginPath(); pen.moveTo(x(trade.entry), y(trade.paid)); pen.lineTo(x(trade.exit), y(trade.got)); pen.stroke();
    pen.setLineDash([]);
    mark(x(trade.entry), y(trade.paid), 1, style('--entry')); mark(x(trade.exit), y(trade.got), -1, style('--exit'));
  }
}
function mark(x, y, way, colour) {  // a triangle: up below an entry, down above an exit
  pen.fillStyle = colour; pen.beginPath(); pen.moveTo(x, y + 2 * way);
  pen.lineTo(x - 5, y + 11 * way); pen.lineTo(x + 5, y + 11 * way); pen.fill();
}
function show(from, span) {
  span = Math.min(count, Math.max(20, span)); first = Math.min(Math.max(0, from), count - span); last = first + span;
  draw();
}
canvas.addEventListener('wheel', event => {
  event.preventDefault();
  const span = last - first, factor = event.deltaY > 0 ? 1.25 : 0.8, at = event.offsetX / (canvas.clientWidth - 70);
  show(first + span * at * (1 - factor), span * factor);
}, {passive: false});
let held = null;
canvas.addEventListener('pointerdown', event => {
  held = [event.clientX, first]; canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener('pointermove', event => {
  if (held) show(held[1] - (event.clientX - held[0]) / (canvas.clientWidth - 70) * (last - first), last - first);
});
canvas.addEventListener('pointerup', () => held = null);
document.getElementById('all').onclick = () => show(0, count);
const step = way => () => {
  const middle = (first + last) / 2;
  const next = way > 0 ? trades.find(t => t.entry > middle + 1) : trades.findLast(t => t.entry < middle - 1);
  if (next) { const span = Math.min(last - first, 200); show(next.entry - span / 2, span); }
};
document.getElementById('next').onclick = step(1);
document.getElementById('previous').onclick = step(-1);
addEventListener('resize', draw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
draw();
"""
