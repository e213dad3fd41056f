"""Faults: what goes wrong between a venue and its customers, made to happen on demand and alike every time."""
