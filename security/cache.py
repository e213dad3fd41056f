"""Ciphertext on the disk of a worker, so that one that starts while the database is away can still close positions."""

import logging
from pathlib import Path

from pydantic import ValidationError

from domain.credentials import SealedCredentials
from security.files import write_private

log = logging.getLogger(__name__)


class CiphertextCache:
    """One file for each name. A cache: what cannot be read is as good as absent, what cannot be written is said."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, name: str) -> SealedCredentials | None:
        """Return what was kept under a name, None if nothing was."""
        try:
            sealed = SealedCredentials.model_validate_json(self._path(name).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            log.warning("the kept ciphertext %s cannot be used: %s", self._path(name), type(error).__name__)
            return None
        return sealed

    def save(self, sealed: SealedCredentials) -> None:
        """Keep this, instead of what was kept under its name."""
        path = self._path(sealed.name)
        try:
            write_private(path, sealed.model_dump_json())
        except OSError as error:
            log.warning("the ciphertext %s cannot be kept: %s", path, error.strerror or error)

    def remove(self, name: str) -> None:
        """Forget what was kept under a name."""
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the kept ciphertext %s cannot be removed: %s", path, error.strerror or error)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
