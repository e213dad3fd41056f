"""Free ports for servers that tests start."""

import random
import socket

# Below the range from which the system takes the ports of outgoing connections, so that none of them gets in between.
_FIRST, _LAST = 12_000, 19_999


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    while True:
        port = random.randint(_FIRST, _LAST)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
