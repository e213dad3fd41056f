"""Addresses of a venue: those of its API moved to another host, a proxy's or a simulator's."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit, urlunsplit


def moved_to(base_url: str, urls: Any) -> Any:
    """Return ccxt's addresses of an API with their host replaced by that of `base_url`; paths stay.

    Args:
        base_url: scheme, host and port, with a path in front of the venue's own if need be.
        urls: a string, or strings in dictionaries, as ccxt's `urls["api"]`.
    """
    if isinstance(urls, str):
        base, own = urlsplit(base_url), urlsplit(urls)
        return urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + own.path, own.query, ""))
    if isinstance(urls, dict):
        return {name: moved_to(base_url, url) for name, url in urls.items()}
    return urls


def is_loopback(url: str | None) -> bool:
    """Return whether the address is on this machine: a simulator or a proxy, which needs no throttling by us."""
    host = urlsplit(url).hostname if url is not None else None
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
