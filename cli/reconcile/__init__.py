"""`reconcile`: the books of live bots and what their venues say, side by side."""
