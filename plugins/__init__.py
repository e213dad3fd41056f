"""Strategies that others have written, each plugin in a process of its own that can be killed."""
