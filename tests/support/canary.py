"""Finds a secret wherever it may have leaked to: as text, in hexadecimal or in base64, in files of any kind."""

import base64
import contextlib
from pathlib import Path


def forms(secret: str) -> list[bytes]:
    """Return what a secret looks like in a file. In base64 that depends on where in a text it begins."""
    plain = secret.encode()
    thirds = [plain[skip : skip + (len(plain) - skip) // 3 * 3] for skip in range(3)]
    in_base64 = [base64.b64encode(part) for part in thirds] + [base64.urlsafe_b64encode(part) for part in thirds]
    return [plain, plain[::-1], plain.hex().encode(), secret.encode("utf-16-le"), *in_base64]


def holds(content: bytes, *secrets: str) -> bool:
    """Return whether one of the secrets can be read in the content."""
    return any(form in content for secret in secrets for form in forms(secret))


def files_holding(folder: Path, *secrets: str) -> list[str]:
    """Return the files below a folder in which one of the secrets can be read."""
    found = []
    for path in folder.rglob("*"):
        # A server that runs makes and removes files all the time.
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and holds(path.read_bytes(), *secrets):
                found.append(str(path))
    return found
