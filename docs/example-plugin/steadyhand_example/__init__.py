"""An example of a plugin for Steadyhand: channels of highest highs and lowest lows."""
