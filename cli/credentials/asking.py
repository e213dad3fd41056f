"""Secrets from a hidden prompt, or from standard input where that is no terminal; never from an argument."""

import getpass
import sys
import warnings
from collections.abc import Callable

from pydantic import SecretStr

from cli.output import CliError
from domain.credentials import checked_passphrase, checked_secret

# More than two secrets can have.
_LONGEST_INPUT = 32_768
_PEM_BEGIN, _PEM_END = "-----BEGIN ", "-----END "


def ask_secrets(*, passphrase: bool) -> tuple[SecretStr, SecretStr | None]:
    """Return the secret, and the passphrase if there is one.

    Standard input holds the secret in its first line, or as a private key in PEM form, and the passphrase in the line
    after it.

    Raises:
        CliError: what was given cannot be one; the message never holds it.
    """
    wanted = ["secret", "passphrase"] if passphrase else ["secret"]
    given = _prompted(wanted) if sys.stdin.isatty() else _piped(wanted)
    secret = checked("the secret", given[0], checked_secret)
    return secret, checked("the passphrase", given[1], checked_passphrase) if passphrase else None


def checked(what: str, value: str, check: Callable[[str], str]) -> SecretStr:
    """Return a value that `check` lets pass.

    Raises:
        CliError: it does not.
    """
    try:
        return SecretStr(check(value))
    except ValueError as error:
        raise CliError(f"{what} {error}") from None


def _prompted(wanted: list[str]) -> list[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            return [getpass.getpass(f"{name}: ") for name in wanted]
    except EOFError:
        raise CliError(f"nothing was entered; expected the {' and the '.join(wanted)}") from None
    except getpass.GetPassWarning:
        # It would go on and show what is typed.
        raise CliError("this terminal cannot hide what is typed; give the secret by standard input") from None


def _piped(wanted: list[str]) -> list[str]:
    # What is no text becomes characters that no secret may have.
    text = sys.stdin.buffer.read(_LONGEST_INPUT).decode(errors="replace")
    parts = _parts(text.replace("\r\n", "\n").removesuffix("\n"))
    if len(parts) != len(wanted):
        lines = "1 line" if len(parts) == 1 else f"{len(parts)} lines"
        raise CliError(f"standard input must hold the {' and the '.join(wanted)}, one line each; it held {lines}")
    return parts


def _parts(text: str) -> list[str]:
    """Return the lines; those of a private key are one part."""
    lines = text.split("\n")
    if lines[0].startswith(_PEM_BEGIN):
        ends = [number for number, line in enumerate(lines) if line.startswith(_PEM_END)]
        if ends:
            return ["\n".join(lines[: ends[0] + 1]), *lines[ends[0] + 1 :]]
    return lines
