"""Adapters that place orders and read venues: paper, and ccxt behind one shared client per venue and address."""
