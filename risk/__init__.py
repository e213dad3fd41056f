"""Sizing and limits. Pure: what may be bought, and why not."""
