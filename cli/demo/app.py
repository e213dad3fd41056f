"""`demo`: six bots on a simulated exchange, before your eyes; their worker is killed, and nothing is lost."""

import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from typing import Annotated

import typer

from cli.audit import audit, read_books
from cli.demo.director import Director, Performance
from cli.demo.passage import passage
from cli.demo.progress import Progress
from cli.demo.screen import Screen
from cli.demo.stage import Stage, set_up
from cli.demo.summary import Report, summary
from cli.endpoints import write_endpoints
from cli.output import OUT, say
from cli.run import run
from db.reads import Reads

app = typer.Typer()

_INTERRUPTED = 130


@app.command()
def demo(
    *,
    seconds: Annotated[
        int, typer.Option(min=10, max=3600, metavar="N", help="How long the bots trade, start and end aside.")
    ] = 120,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Another seed is another market.")] = 1,
) -> None:
    """Six paper bots on a simulated exchange, live: their worker is killed with SIGKILL, and every bot goes on.

    Needs nothing and leaves nothing: servers and data are in a temporary directory. The exit code is 0 only if every
    journaled order equals what the workflow histories have recorded.
    """
    raise typer.Exit(run(_demo(seconds, seed)))


async def _demo(seconds: int, seed: int) -> int:
    # What its parts log is told on the screen, or raised.
    logging.getLogger().addHandler(logging.NullHandler())
    interrupt = _Interrupt()
    try:
        report = await _perform(seconds, seed, interrupt)
    except asyncio.CancelledError:
        say("stopped; nothing is left running", "yellow")
        return _INTERRUPTED
    OUT.print(summary(report))
    return 1 if report.problems else 0


async def _perform(seconds: int, seed: int, interrupt: "_Interrupt") -> Report:
    say("Steadyhand: six bots, a simulated exchange, and a worker that will be killed", "bold")
    progress = Progress()
    async with AsyncExitStack() as exits:
        with progress.shown():
            stage = await exits.enter_async_context(set_up(seed=seed, progress=progress))
            director = Director(stage, Screen(OUT), seconds=seconds)
            with progress.step("the first candles, seen by every bot"):
                await director.wait_for_first_candles()
        _announce(stage, progress.seconds)
        interrupt.gentle = True
        played = await director.play(interrupt.stop)
        with OUT.status("comparing the journal with the workflow histories …"):
            report = await _report(stage, played)
        exits.enter_context(OUT.status("stopping everything, in order …"))
        return report


def _announce(stage: Stage, seconds: float) -> None:
    """Say that all is ready, and where to look meanwhile."""
    bot, data_dir = stage.bot_ids[0], stage.stack.data_dir
    write_endpoints(data_dir, stage.endpoints)
    say(f"ready after {seconds:.1f} s", "bold green")
    say(f"  Web UI            {stage.link(bot)}")
    say(f"  another terminal  python starter.py bots why {bot} --data-dir {data_dir}")


async def _report(stage: Stage, played: Performance) -> Report:
    reads = Reads(stage.engine)
    audited = await audit(stage.client, reads, stage.bot_ids)
    passages = {}
    for bot_id, before in (played.kill.before if played.kill else {}).items():
        passages[bot_id] = passage(before, (await read_books(reads, bot_id)).orders)
    return Report(played, audited, await reads.summary(), passages)


class _Interrupt:
    """Ctrl-C: while the bots trade, the first one ends the show early and in order; else it stops at once."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.gentle = False
        self._task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._come)

    def _come(self) -> None:
        if self.gentle:
            self.gentle = False
            self.stop.set()
        elif self._task is not None:
            # Once: a second cancellation would disturb the stopping itself, whose parts all have time limits.
            self._task.cancel()
            self._task = None
