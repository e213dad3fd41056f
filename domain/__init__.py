"""The vocabulary of Steadyhand: configuration, candles, orders, positions, events, errors and ports. Pure."""
