"""What the venue answers when it refuses, in Binance's own codes.

VenueError          the request is answered with {"code": ..., "msg": ...}
"""


class VenueError(Exception):
    """A refusal. `code` is Binance's (negative), `status` the HTTP status, `retry_after` seconds to leave it alone."""

    def __init__(self, code: int, message: str, status: int = 400, *, retry_after: int | None = None) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status
        self.retry_after = retry_after


def unknown_error() -> VenueError:
    """Something went wrong within the venue; whether the request was carried out is open."""
    return VenueError(-1000, "An unknown error occurred while processing the request.", 500)


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


def too_much_weight(limit: int, retry_after: int) -> VenueError:
    """More requests than an address may make in a minute."""
    message = (
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE."
        " Please use WebSocket Streams for live updates to avoid polling the API."
    )
    return VenueError(-1003, message, 429, retry_after=retry_after)


def too_many_orders(limit: int, window: str) -> VenueError:
    """More orders than an account may send."""
    return VenueError(-1015, f"Too many new orders; current limit is {limit} orders per {window}.", 429)


def outside_receive_window() -> VenueError:
    """A request that comes too late."""
    return VenueError(-1021, "Timestamp for this request is outside of the recvWindow.")


def ahead_of_time() -> VenueError:
    """A request from the future."""
    return VenueError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def invalid_signature() -> VenueError:
    """A signature that is not that of the request."""
    return VenueError(-1022, "Signature for this request is not valid.")


def both_empty(first: str, second: str) -> VenueError:
    """Two parameters of which one must be there."""
    return VenueError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def not_required(name: str) -> VenueError:
    """A parameter that this kind of order does not have."""
    return VenueError(-1106, f"Parameter '{name}' sent when not required.")


def too_precise(name: str) -> VenueError:
    """A number with more decimals than the venue keeps."""
    return VenueError(-1111, f"Parameter '{name}' has too much precision.")


def invalid_time_in_force() -> VenueError:
    """A time in force that the venue does not have."""
    return VenueError(-1115, "Invalid timeInForce.")


def invalid_order_type() -> VenueError:
    """An order type that the venue does not have."""
    return VenueError(-1116, "Invalid orderType.")


def invalid_side() -> VenueError:
    """Neither BUY nor SELL."""
    return VenueError(-1117, "Invalid side.")


def lookup_too_wide(hours: int) -> VenueError:
    """A search over more time than the venue allows."""
    return VenueError(-1127, f"More than {hours} hours between startTime and endTime.")


def receive_window_too_long() -> VenueError:
    """A `recvWindow` of more than a minute."""
    return VenueError(-1131, "recvWindow must be less than 60000")


def invalid_response_type() -> VenueError:
    """Neither ACK nor RESULT nor FULL."""
    return VenueError(-1136, "Invalid newOrderRespType.")


def not_positive(what: str) -> VenueError:
    """A quantity or price of zero."""
    return VenueError(-1013, f"Invalid {what}.")


def filter_failure(name: str) -> VenueError:
    """An order against the rules of its market."""
    return VenueError(-1013, f"Filter failure: {name}")


def not_supported(what: str) -> VenueError:
    """A kind of order that this exchange does not have."""
    return VenueError(-1013, f"{what} orders are not supported for this symbol.")


def market_closed() -> VenueError:
    """An order for a symbol that does not trade any more."""
    return VenueError(-1013, "Market is closed.")


def rejected(message: str) -> VenueError:
    """An order that the matching engine refuses."""
    return VenueError(-2010, message)


def insufficient_balance() -> VenueError:
    """An order for more than there is."""
    return rejected("Account has insufficient balance for requested action.")


def duplicate_order() -> VenueError:
    """A client order id that an open order has."""
    return rejected("Duplicate order sent.")


def nothing_to_cancel() -> VenueError:
    """A cancellation of an order that is not open."""
    return VenueError(-2011, "Unknown order sent.")


def no_such_order() -> VenueError:
    """A question for an order that is not known."""
    return VenueError(-2013, "Order does not exist.")


def malformed_key() -> VenueError:
    """No API key, or none that could be one."""
    return VenueError(-2014, "API-key format invalid.", 401)


def rejected_key() -> VenueError:
    """A key that is not known or not allowed to do this."""
    return VenueError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
