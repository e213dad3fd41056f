"""Accounts, their orders and how these fill. No HTTP here; amounts are exact decimals, times milliseconds UTC."""
