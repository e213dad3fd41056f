"""A halt: a person forbids entries to every bot at once. Exits go on."""

from domain.model import Model, Utc


class Halt(Model):
    """Entries are forbidden until a person allows them again.

    Attributes:
        author: who has halted them.
    """

    reason: str
    author: str
    since: Utc

    @property
    def refusal(self) -> str:
        """What an entry is told."""
        return f"entries are halted: {self.reason}"
