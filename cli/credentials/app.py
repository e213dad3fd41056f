"""`credentials`: the keys of accounts at exchanges."""

from cli.lazy import lazy_app

COMMANDS = {
    "add": "cli.credentials.store",
    "list": "cli.credentials.listing",
    "rotate": "cli.credentials.store",
    "remove": "cli.credentials.remove",
    "new-key": "cli.credentials.keys",
    "reencrypt": "cli.credentials.keys",
}

app = lazy_app(COMMANDS, help="Store, list, replace and remove the keys of accounts at exchanges, encrypted.")
