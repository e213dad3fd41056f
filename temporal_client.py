"""The way to Temporal: where the environment says it is, and one clear sentence where no server answers.

TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, the TLS variables and profiles are read by
`temporalio.envconfig`, so Temporal Cloud and mTLS need no code here.
"""

import re
from collections.abc import Mapping
from typing import Any

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode

DEFAULT_ADDRESS = "localhost:7233"

# The SDK tells a failure as its Rust core prints it; what a person can use are the sentences in it, the last one first.
_SENTENCE = re.compile(r'\b(?:message|error): "([^"]+)"')
_WORD = re.compile(r"[A-Za-z]\w+")


class NoTemporal(Exception):
    """There is no Temporal to work with; the message is one sentence for the person at the terminal."""


def temporal_options() -> dict[str, Any]:
    """Return what the environment says of Temporal, as `Client.connect` takes it; what it does not say is left out.

    Raises:
        NoTemporal: the variables or the profile cannot be understood.
    """
    try:
        found = ClientConfig.load_client_connect_config()
    except (ValueError, RuntimeError) as error:
        raise NoTemporal(f"the TEMPORAL_* variables or the Temporal profile cannot be used: {error}") from error
    return {name: value for name, value in found.items() if value is not None}


async def connect(options: Mapping[str, Any]) -> Client:
    """Connect to the server that `options` name, else the one at the usual address of this machine.

    Raises:
        NoTemporal: nothing answers there, or no Temporal does.
    """
    options = {"target_host": DEFAULT_ADDRESS, **options}
    address = options["target_host"]
    try:
        return await Client.connect(**options, data_converter=pydantic_data_converter)
    except RuntimeError as error:
        raise NoTemporal(
            f"Temporal at {address} does not answer ({_reason(str(error))}); "
            "expected a Temporal server there: start it, or correct TEMPORAL_ADDRESS"
        ) from error
    except ValueError as error:
        raise NoTemporal(f"TEMPORAL_ADDRESS must be host:port; was {address!r} ({error})") from error


async def require_namespace(client: Client) -> None:
    """Check that the server has the namespace of a client.

    Raises:
        NoTemporal: it has none of that name, or does not let us know.
    """
    place = f"Temporal at {client.service_client.config.target_host}"
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            advice = "create it, or correct TEMPORAL_NAMESPACE"
            raise NoTemporal(f"{place} has no namespace {client.namespace!r}; {advice}") from error
        raise NoTemporal(f"{place} does not give access to namespace {client.namespace!r}: {error.message}") from error


def _reason(text: str) -> str:
    sentences = _SENTENCE.findall(text)
    return str(sentences[-1] if sentences else _WORD.findall(text)[-1]).lower()
