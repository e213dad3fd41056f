"""Real candles for tests and benchmarks; tests/data/README.md says where they come from."""

from pathlib import Path

BTC_MONTH = Path(__file__).parents[1] / "data" / "btc_usdt_1m_2022-01.csv.gz"
"""45,031 one-minute candles: timestamp (milliseconds), open, high, low, close, volume, under a line of names."""
