"""`backtest`: what a bot would have done."""
