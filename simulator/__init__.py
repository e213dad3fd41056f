"""A Binance-compatible spot exchange that runs here: for the demo, the tests and the chaos runs."""
