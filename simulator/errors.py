"""What the venue answers when it refuses, in Binance's own codes.

VenueError          the request is answered with {"code": ..., "msg": ...}
"""


class VenueError(Exception):
    """A refusal. `code` is Binance's (negative), `status` the HTTP status."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


def illegal_characters(name: str, legal: str) -> VenueError:
    """A value that does not have the form of its parameter."""
    return VenueError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def mandatory_parameter(name: str) -> VenueError:
    """A parameter that must be there and is not."""
    return VenueError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def unread_parameters(read: int, sent: int) -> VenueError:
    """Parameters that the endpoint does not know."""
    message = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
    return VenueError(-1104, message)


def empty_parameter(name: str) -> VenueError:
    """A parameter that was sent without a value."""
    return VenueError(-1105, f"Parameter '{name}' was empty.")


def invalid_interval() -> VenueError:
    """An interval that the venue does not have."""
    return VenueError(-1120, "Invalid interval.")


def invalid_symbol() -> VenueError:
    """A symbol that is not listed."""
    return VenueError(-1121, "Invalid symbol.")


def invalid_combination() -> VenueError:
    """Parameters that exclude one another."""
    return VenueError(-1128, "Combination of optional parameters invalid.")


def invalid_data(name: str) -> VenueError:
    """A value out of range."""
    return VenueError(-1130, f"Data sent for parameter '{name}' is not valid.")


def repeated_symbol() -> VenueError:
    """A list that names a symbol twice."""
    return VenueError(-1151, "Symbol is present multiple times in the list.")
