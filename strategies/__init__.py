"""Candles in, decision out. Pure: no clock, no network, no state of its own."""
