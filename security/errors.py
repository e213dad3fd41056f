"""Errors of the keys themselves; those that cross a port are in domain/errors.py.

SteadyhandError
└── BadSecretKeys      correct STEADYHAND_SECRET_KEYS or the key file
"""

from domain.errors import SteadyhandError


class BadSecretKeys(SteadyhandError):
    """The keys that encrypt credentials are missing or malformed. The message never holds one."""
