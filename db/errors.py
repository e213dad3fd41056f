"""Errors of the database's own; those that cross a port are in domain/errors.py.

SteadyhandError
├── BotExists          choose another id
├── RowRefused         the row would be wrong: `id`, `uid` or `enabled` at odds with the configuration
├── VersionConflict    somebody else was faster: read the row again
├── CredentialsExist   choose another name, or rotate those
├── CredentialsInUse   disable the bots that name them, or insist
└── SchemaTooNew       run newer code
"""

from domain.errors import SteadyhandError


class BotExists(SteadyhandError):
    """There is a bot of that id already."""


class RowRefused(SteadyhandError):
    """PostgreSQL's triggers or constraints refused the row; the message says why."""


class VersionConflict(SteadyhandError):
    """The row is no longer at the version that the change was made for."""


class CredentialsExist(SteadyhandError):
    """There are credentials of that name already."""


class CredentialsInUse(SteadyhandError):
    """Enabled bots name the credentials; the message lists them."""


class SchemaTooNew(SteadyhandError):
    """The database was migrated by newer code than this."""
