"""The commands of `python starter.py bots`."""
