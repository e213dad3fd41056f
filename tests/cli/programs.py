"""Our programs as processes of their own, whose output a test reads as it comes."""

import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
STARTER = REPOSITORY / "starter.py"
ANY_PORTS = [part for name in ("postgres", "temporal", "ui", "health") for part in (f"--{name}-port", "0")]


@dataclass
class Running:
    """A program whose output is read as it comes."""

    process: Process
    lines: list[str] = field(default_factory=list)

    async def says(self, pattern: str, seconds: float = 90.0) -> str:
        """Wait for a line, and return it."""
        async with asyncio.timeout(seconds):
            while not (found := [line for line in self.lines if re.search(pattern, line)]):
                line = await self.read()
                assert line, f"it ended without {pattern!r}:\n{self.text}"
        return found[0]

    async def read(self) -> str:
        assert self.process.stdout is not None
        line = (await self.process.stdout.readline()).decode()
        if line:
            self.lines.append(line.rstrip("\n"))
        return line

    async def ends(self, seconds: float = 60.0) -> int:
        async with asyncio.timeout(seconds):
            while await self.read():
                pass
            return await self.process.wait()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@asynccontextmanager
async def program(*arguments: str, env: Mapping[str, str]) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=env, cwd=REPOSITORY, stdout=PIPE, stderr=STDOUT
    )
    running = Running(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            try:
                await running.ends()
            except TimeoutError:
                process.kill()
                await running.ends()
        # What asyncio keeps of a process it closes a turn of the loop later.
        await asyncio.sleep(0)
