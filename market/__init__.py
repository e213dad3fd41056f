"""Market data: one feed per venue, symbol and interval, shared by all bots of the process."""
