"""What goes wrong with a plugin. Whoever asked one fails by it, and nobody else."""

from domain.errors import SteadyhandError


class PluginFailed(SteadyhandError):
    """A plugin raised, gave nonsense, took too long or broke down; the message says which and where."""


class PluginPerished(PluginFailed):
    """Its process ended or ran out of memory, which an earlier question may have to answer for."""


class PluginBusy(SteadyhandError):
    """Too many questions to the same plugin were waiting, or one that took too long."""
