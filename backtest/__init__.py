"""The same strategies, risk limits and fill rules as live paper trading, over history. Pure."""
