"""`bots`: everything a person does with bots."""

from cli.lazy import lazy_app

COMMANDS = {
    "create": "cli.bots.create",
    "import": "cli.bots.importing",
    "edit": "cli.bots.edit",
    "list": "cli.bots.listing",
    "show": "cli.bots.listing",
    "why": "cli.bots.why",
    "enable": "cli.bots.switch",
    "disable": "cli.bots.switch",
    "pause": "cli.bots.switch",
    "resume": "cli.bots.switch",
    "halt": "cli.bots.halt",
    "restart": "cli.bots.restart",
    "open": "cli.bots.orders",
    "close": "cli.bots.orders",
    "resolve": "cli.bots.orders",
    "orders": "cli.bots.books",
    "trades": "cli.bots.books",
    "events": "cli.bots.books",
}

app = lazy_app(COMMANDS, help="Make, change, watch and command bots.")
