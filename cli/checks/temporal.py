"""Temporal: does it answer, with our namespace and search attributes, and does a worker listen on every queue?"""

import time
from collections.abc import AsyncIterator

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from cli.checks.check import Check, fail, ok, warn
from cli.output import CliError
from cli.target import Target
from domain.queues import Role
from embedded.temporal import SEARCH_ATTRIBUTES

# A poll lasts a minute at most; the server remembers dead pollers for longer.
_POLL_SECONDS = 90.0
_START_WORKER = "start one: `python starter.py up`, or `python worker.py` beside servers of your own"


async def check_temporal(target: Target) -> AsyncIterator[Check]:
    """Judge the Temporal server of a target; without an answer the rest is left out."""
    try:
        client = await target.connect()
        await client.service_client.check_health()
    except (CliError, RPCError) as error:
        yield fail("Temporal", str(error).partition(";")[0], "start it, or correct TEMPORAL_ADDRESS")
        return
    yield ok("Temporal", f"{target.address}, serving")
    namespace = await _namespace(client, target)
    yield namespace
    if namespace.verdict == "fail":
        return
    yield await _search_attributes(client, target)
    for role in Role:
        yield await _queue(client, target, role)


async def _namespace(client: Client, target: Target) -> Check:
    name = "namespace"
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=target.namespace))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            return fail(name, f"{target.namespace}: {error.message}", "check the permissions of the API key")
        mend = f"create it: temporal operator namespace create {target.namespace}, or correct TEMPORAL_NAMESPACE"
        return fail(name, f"there is no namespace {target.namespace}", mend)
    return ok(name, target.namespace)


async def _search_attributes(client: Client, target: Target) -> Check:
    name = "search attributes"
    try:
        request = ListSearchAttributesRequest(namespace=target.namespace)
        known = (await client.operator_service.list_search_attributes(request)).custom_attributes
    except RPCError as error:
        return warn(name, f"cannot be listed: {error.message}", f"make sure of {', '.join(SEARCH_ATTRIBUTES)}")
    missing = [attribute for attribute in SEARCH_ATTRIBUTES if attribute not in known]
    if missing:
        flags = " ".join(f"--name {attribute} --type Keyword" for attribute in missing)
        mend = f"temporal operator search-attribute create --namespace {target.namespace} {flags}"
        return fail(name, f"missing: {', '.join(missing)}", mend)
    return ok(name, ", ".join(SEARCH_ATTRIBUTES))


async def _queue(client: Client, target: Target, role: Role) -> Check:
    kinds = [TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY]
    if role is Role.TRADING:
        kinds.append(TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
    pollers: set[str] = set()
    for kind in kinds:
        request = DescribeTaskQueueRequest(
            namespace=target.namespace, task_queue=TaskQueue(name=role), task_queue_type=kind
        )
        pollers_seen = (await client.workflow_service.describe_task_queue(request)).pollers
        latest = time.time() - _POLL_SECONDS
        found = {poller.identity for poller in pollers_seen if poller.last_access_time.ToSeconds() > latest}
        if not found:
            return fail(f"queue {role}", "no worker listens: its bots stand still", _START_WORKER)
        pollers |= found
    return ok(f"queue {role}", f"worker {', '.join(sorted(pollers))}")
