"""Metrics, logging set-up and health probes."""
