"""The venue that credentials are for: does ccxt know it, and can it be signed for with what is stored?"""

from brokers.ccxt_import import exchange_class, exchange_ids
from brokers.nearest import nearest
from cli.output import CliError

_STORED = {"apiKey", "secret", "password"}


def check_venue(venue: str, *, passphrase: bool) -> None:
    """Judge a venue, and whether a passphrase belongs to its keys.

    Raises:
        CliError: there is no such venue, or its keys are made of something else.
    """
    if venue not in exchange_ids():
        close = nearest(venue, exchange_ids())
        hint = f"did you mean {close}?" if close else "expected one such as binance, kraken or okx"
        raise CliError(f"--venue must be an exchange id of ccxt; was {venue!r}; {hint}")
    needed = {name for name, needs in exchange_class(venue)({}).requiredCredentials.items() if needs}
    if not needed <= _STORED:
        raise CliError(
            f"{venue} cannot be used: it signs with {', '.join(sorted(needed))}; what can be stored is an API key "
            "with a secret, and a passphrase where there is one"
        )
    if "password" in needed and not passphrase:
        raise CliError(f"keys of {venue} have a passphrase: add --passphrase, and it will be asked for")
