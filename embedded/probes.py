"""Waiting from outside for a process to answer by HTTP."""

import asyncio
import urllib.error
import urllib.request

from embedded.process import NotReadyError, Probe

HTTP_TIMEOUT = 2.0


def http_ready(url: str) -> Probe:
    """Return a probe that is content when a GET of `url` answers 200."""

    def get() -> None:
        try:
            # Not through a proxy of the environment: it is this machine.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(url, timeout=HTTP_TIMEOUT):
                return
        except urllib.error.HTTPError as error:
            with error:
                raise NotReadyError(f"{url} answered {error.code}") from error
        except OSError as error:
            raise NotReadyError(f"{url}: {error}") from error

    async def probe() -> None:
        await asyncio.to_thread(get)

    return probe
