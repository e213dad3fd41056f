"""The commands of `python starter.py credentials`."""
