"""The worker process: knows every adapter, and runs the Temporal workers of its roles until it is told to stop.

python worker.py [--roles trading,market,journal,notify]
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, NoReturn

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.worker import Interceptor, UnsandboxedWorkflowRunner, Worker

from activities.adoption import AdoptionActivities
from activities.config import ConfigActivities
from activities.fleet import Fleet
from activities.gate import Gate
from activities.halting import Halts
from activities.journal import JournalActivities, NotifyActivities
from activities.liveness import LivenessBoard, flush_forever
from activities.orders import OrderActivities
from activities.reconciling import Reconciler
from activities.refusals import Refusals
from activities.reviving import Revival
from activities.watch import WatchActivities
from brokers.ccxt_accounts import CcxtAccounts
from brokers.ccxt_data import CcxtData
from brokers.ccxt_spot import CcxtBroker
from brokers.gateway import Gateway
from brokers.paper import PaperBroker
from brokers.registry import BrokerRegistry
from db.bots import BotRepository
from db.credentials import CredentialsRepository
from db.engine import make_engine
from db.halts import HaltFile, HaltRepository
from db.health import StoreHealth
from db.journal import JournalRepository
from db.liveness import LivenessRepository
from db.notifications import LogNotifier
from domain.errors import SteadyhandError
from domain.queues import Role
from domain.state import WatchOptions
from market.data import MarketData
from plugins.plugins import Plugins
from security.cache import CiphertextCache
from security.key_file import load_ring
from security.vault import SealedVault
from settings import Settings, wrong_settings
from telemetry.activities import MetricsInterceptor
from telemetry.logs import set_up_logging
from telemetry.metrics import Metrics
from telemetry.server import TelemetryServer
from temporal_client import NoTemporal, connect, require_namespace, temporal_options
from workflows.bot import BotWorkflow

log = structlog.get_logger("worker")

# How long a stopping worker waits for its activities; watches return at once, orders within their own timeout.
DRAIN = timedelta(seconds=10)
# A sticky workflow task of a dead worker is given to another one after so long.
STICKY = timedelta(seconds=2)
# Shown beside each workflow task. The SDK's default hashes all loaded code, which takes a worker seconds at its start.
BUILD_ID = "steadyhand-0.1.0"
# Workflow tasks under way at once. They share one core, and a task that is fetched must be done within the task timeout
# (3 s): a hundred of them, after a start of many bots, would all time out and be fetched again, for ever.
_WORKFLOW_TASKS = 16
_STRATEGY_THREADS = 2


class CannotStart(SteadyhandError):
    """A setting that a worker cannot do without is missing or makes no sense; the message says which."""


@dataclass(frozen=True)
class Services:
    """The adapters of one process, and the activities that use them."""

    fleet: Fleet
    board: LivenessBoard
    metrics: Metrics
    orders: OrderActivities
    adoption: AdoptionActivities
    watches: WatchActivities
    config: ConfigActivities
    journal: JournalActivities
    notify: NotifyActivities
    engine: AsyncEngine
    health: StoreHealth


@asynccontextmanager
async def services(settings: Settings, client: Client) -> AsyncIterator[Services]:
    """Build the adapters of a process, and close them when it ends."""
    async with AsyncExitStack() as stack:
        engine = _engine(settings)
        stack.push_async_callback(engine.dispose)
        ring = load_ring(settings.secret_keys, settings.data_dir)
        vault = SealedVault(CredentialsRepository(engine), ring, CiphertextCache(settings.credentials_cache_dir))
        gateway = Gateway(vault=vault, budgets=settings.budgets_dir)
        stack.push_async_callback(gateway.close)
        market = MarketData(lambda venue: CcxtData(gateway, venue))
        stack.push_async_callback(market.close)
        plugins = Plugins.by(settings)
        stack.callback(plugins.close)
        threads = stack.enter_context(ThreadPoolExecutor(_STRATEGY_THREADS, thread_name_prefix="strategy"))
        board, health = LivenessBoard(worker_name()), StoreHealth(engine)
        halts = Halts(HaltRepository(engine), HaltFile(settings.halt_file))
        await halts.begin()
        notifier, keys = LogNotifier(engine, health), CredentialsRepository(engine)
        gate, signs = Gate(halts, gateway), LivenessRepository(engine, health)
        accounts, bots = CcxtAccounts(gateway), BotRepository(engine)
        options = WatchOptions(
            segment_seconds=settings.segment_seconds, heartbeat_timeout_seconds=settings.heartbeat_timeout_seconds
        )
        fleet = Fleet(client, bots, options, plugins)
        for work in (
            halts.follow(),
            Revival(client, fleet, bots, notifier).follow(),
            Refusals(gateway, keys, notifier).follow(),
            flush_forever(board, signs, settings.flush_seconds),
        ):
            stack.callback(asyncio.create_task(work).cancel)
        yield Services(
            fleet=fleet,
            board=board,
            metrics=_metrics(board, market, gateway, halts, plugins),
            orders=OrderActivities(BrokerRegistry(paper=PaperBroker(), live=CcxtBroker(gateway)), gate),
            adoption=AdoptionActivities(accounts),
            watches=WatchActivities(market, board, threads, Reconciler(accounts), gate, plugs=plugins),
            config=ConfigActivities(bots, market, accounts, plugins),
            journal=JournalActivities(JournalRepository(engine, health)),
            notify=NotifyActivities(notifier),
            engine=engine,
            health=health,
        )


def _metrics(board: LivenessBoard, market: MarketData, gateway: Gateway, halts: Halts, plugins: Plugins) -> Metrics:
    metrics = Metrics()
    metrics.gauge("watches", "Watches of this process.", lambda: len(board))
    metrics.gauge("feeds", "Feeds that are followed: one per venue, symbol and interval.", market.feed_count)
    metrics.gauge("watches_stale", "Watches that see a venue that has fallen silent.", lambda: board.stale)
    metrics.gauge("liveness_flushes_lost", "Signs of life not written, of all bots.", lambda: board.lost_flushes)
    metrics.gauge("entries_halted", "1 while a halt forbids entries.", lambda: halts.closed() is not None)
    metrics.gauge("plugin_processes", "Processes of plugins that run.", lambda: len(plugins.pids))
    metrics.gauge(
        "plugin_processes_ended", "Processes of plugins that were killed or broke off.", lambda: plugins.ended
    )
    metrics.gauge(
        "accounts_refused",
        "Accounts whose keys their venue refuses.",
        lambda: sum(state.refused is not None for state in gateway.standings().values()),
    )
    metrics.gauge_by(
        "venue_clock_offset_ms",
        "How far the clock of a venue is ahead of this machine's.",
        "venue",
        lambda: {str(venue): clock.offset_ms for venue, clock in gateway.clocks.items()},
    )
    metrics.gauge_by(
        "venue_clock_bound_ms",
        "How wrong the measured offset of a venue's clock may be.",
        "venue",
        lambda: {str(venue): clock.bound_ms for venue, clock in gateway.clocks.items()},
    )
    return metrics


class _Duty(NamedTuple):
    """What the worker of one role does: activities, bound to what they use, so many at once, and workflows."""

    activities: Sequence[Callable[..., Any]]
    slots: int
    workflows: Sequence[type] = ()


def _duties(built: Services, max_watches: int) -> dict[Role, _Duty]:
    orders = built.orders
    return {
        Role.TRADING: _Duty(
            [orders.submit_order, orders.resolve_order, orders.cancel_order, built.adoption.find_orders],
            slots=200,
            workflows=[BotWorkflow],
        ),
        # Besides the watches, room for the checks of configurations.
        Role.MARKET: _Duty([built.watches.watch_market, built.config.prepare], slots=max_watches + 50),
        Role.JOURNAL: _Duty([built.journal.write_journal, built.config.load_row], slots=20),
        Role.NOTIFY: _Duty([built.notify.notify], slots=20),
    }


def _engine(settings: Settings) -> AsyncEngine:
    """Return the engine on the bots' database, which need not answer yet.

    Raises:
        CannotStart: none is named, or not by a URL.
    """
    if settings.database_url is None:
        raise CannotStart("STEADYHAND_DATABASE_URL must name the bots' database; it is not set")
    try:
        return make_engine(settings.database_url.get_secret_value())
    except ValueError as error:
        raise CannotStart(f"STEADYHAND_DATABASE_URL cannot be used: {error}") from None


def make_workers(
    client: Client,
    built: Services,
    roles: Iterable[Role],
    *,
    max_watches: int,
    interceptors: Sequence[Interceptor] = (),
) -> list[Worker]:
    """Return one Temporal worker a role, each with its own queue and slots."""
    duties = _duties(built, max_watches)
    return [
        Worker(
            client,
            task_queue=role,
            activities=duties[role].activities,
            workflows=duties[role].workflows,
            # The tests run in the sandbox; here it would cost 100 KB and 20 ms of the event loop for each bot.
            workflow_runner=UnsandboxedWorkflowRunner(),
            max_concurrent_workflow_tasks=_WORKFLOW_TASKS,
            interceptors=[MetricsInterceptor(built.metrics), *interceptors],
            max_concurrent_activities=duties[role].slots,
            max_cached_workflows=max_watches,
            sticky_queue_schedule_to_start_timeout=STICKY,
            graceful_shutdown_timeout=DRAIN,
            identity=worker_name(),
            build_id=BUILD_ID,
        )
        for role in roles
    ]


async def run(settings: Settings, roles: Sequence[Role], stop: asyncio.Event) -> None:
    """Run until `stop` is set, then drain: watches hand over a checkpoint, activities under way are finished."""
    client = await connect(temporal_options())
    await require_namespace(client)
    async with services(settings, client) as built:
        if settings.sole_worker:
            # Before anything is taken up, and before /health has anybody start another worker: a server whose file was
            # restored has bots that know too little.
            log.info("bots watch anew", bots=await built.fleet.rewatch_all())
        workers = make_workers(client, built, roles, max_watches=settings.max_watches)
        probes = {"temporal": lambda: _temporal_probe(client), "database": built.health.verdict}
        async with (
            AsyncExitStack() as stack,
            TelemetryServer(
                built.metrics.registry, probes, host=settings.health_host, port=settings.health_port
            ) as telemetry,
        ):
            for worker in workers:
                await stack.enter_async_context(worker)
            log.info("worker ready", roles=[str(role) for role in roles], health=telemetry.url)
            syncing = asyncio.create_task(built.fleet.sync_when_possible())
            stack.callback(syncing.cancel)
            await stop.wait()
            log.info("worker stopping", watches=len(built.board))
            built.watches.drain()
    log.info("worker stopped")


def worker_name() -> str:
    """Return the identity of this process, as Temporal and the rows show it."""
    return f"{os.getpid()}@{socket.gethostname()}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a worker from the command line; what keeps it from starting is one sentence, and exit code 1."""
    parser = argparse.ArgumentParser(description="Run a Steadyhand worker until SIGTERM or Ctrl-C.")
    parser.add_argument(
        "--roles",
        type=_roles,
        default=list(Role),
        help=f"comma-separated, of {', '.join(Role)}; all by default",
    )
    roles = parser.parse_args(arguments).roles
    try:
        settings = Settings()
        set_up_logging(settings.log_level, settings.log_format)
        asyncio.run(_main(settings, roles))
    except ValidationError as error:
        _fail(wrong_settings(error))
    except (NoTemporal, SteadyhandError) as error:
        _fail(str(error))


def _fail(sentence: str) -> NoReturn:
    print(f"error: {sentence}", file=sys.stderr, flush=True)
    # Threads of a client that has just been made may still run: Python aborts if it is torn down below them.
    os._exit(1)


async def _main(settings: Settings, roles: Sequence[Role]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(settings, roles, stop)


async def _temporal_probe(client: Client) -> str | None:
    try:
        return None if await client.service_client.check_health(timeout=timedelta(seconds=2)) else "not serving"
    except Exception as error:  # whatever keeps the server from answering is the verdict
        return str(error) or type(error).__name__


def _roles(text: str) -> list[Role]:
    try:
        return [Role(name.strip()) for name in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be of {', '.join(Role)}; was {text!r}") from None


if __name__ == "__main__":
    main()
