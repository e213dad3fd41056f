"""Breaks the order path on purpose, in a copy of the sources, and runs chaos there: what cannot fail proves nothing.

python -m tests.chaos.mutations [NAME ...] [--seed 7] [--intents 60] [--jobs 2]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.audit import KINDS

ROOT = Path(__file__).resolve().parents[2]
_NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "docs")


@dataclass(frozen=True)
class Change:
    """A place in a file, which must be there exactly once, and what is put there."""

    file: str
    before: str
    after: str


# What is broken shows soon, and never comes to rest.
_QUICK = ("--short", "--settle", "45")
_SENDING, _ORDERS, _ADOPTING = "activities/sending.py", "activities/orders.py", "workflows/adopting.py"
_CHECKS = """        if refusal := self._risk_refusal(request):
            return _report(order, "rejected", f"risk: {refusal}")
        if request.expires is not None and datetime.now(UTC) > request.expires:
            return _report(
                order, "expired", f"too late to {order.intent.side}: it should have been sent by {request.expires}"
            )
"""
_LOOK_UP = """        outcome = await known_or_window(broker, order, attempt)
        if isinstance(outcome, OrderReport):
            return outcome
"""

MUTATIONS: Mapping[str, Sequence[Change]] = {
    # A later attempt sends at once, whatever the earlier ones have done.
    "send-again-without-looking-up": [
        Change(
            _SENDING,
            "    known = await broker.find(request)\n    if known is None and (attempt.wary or not attempt.first):\n",
            "    known = await broker.find(request) if attempt.first else None\n"
            "    if known is None and attempt.first and attempt.wary:\n",
        )
    ],
    # What is not found at the first look is taken to be absent, without a wait and without another look.
    "look-up-only-once": [
        Change(_SENDING, "if known is None and (attempt.wary or not attempt.first):", "if False:"),
    ],
    # Each attempt sends under an id of its own. (The look-up still asks for the id of the intent.)
    "fresh-id-per-attempt": [
        Change(
            _ORDERS,
            "    return await broker.submit(order, outcome)\n",
            "    return await broker.submit(_renamed(order), outcome)\n",
        ),
        Change(
            _ORDERS,
            "\n\nasync def _found_after_all(",
            "\n\ndef _renamed(order: OrderRequest) -> OrderRequest:\n"
            "    name = f'{order.intent.client_order_id[:-2]}{activity.info().attempt:02}'\n"
            "    intent = order.intent.model_copy(update={'client_order_id': name})\n"
            "    return order.model_copy(update={'intent': intent})\n"
            "\n\nasync def _found_after_all(",
        ),
    ],
    # Risk, and with it the time by which an entry has to be sent, is asked before the venue.
    "risk-before-look-up": [
        Change(_ORDERS, _CHECKS, ""),
        Change(_ORDERS, _LOOK_UP, _CHECKS + _LOOK_UP),
    ],
    # Whatever the venue holds, a bot goes on with what its history says.
    "no-adoption": [
        Change(_ADOPTING, "        for each in found.orders:\n", "        for each in ():\n"),
    ],
    # A first attempt sends at once: nobody can have sent the order before.
    "no-look-up-at-the-first-attempt": [
        Change(
            _SENDING,
            "    known = await broker.find(request)\n    if known is None and (attempt.wary or not attempt.first):\n",
            "    known = None if attempt.first else await broker.find(request)\n"
            "    if known is None and not attempt.first:\n",
        )
    ],
}


def mutate(root: Path, name: str) -> None:
    """Break the sources in `root`.

    Raises:
        ValueError: a place is not there, or not once: the sources have changed, and this file must follow.
    """
    for change in MUTATIONS[name]:
        path = root / change.file
        source = path.read_text()
        if (times := source.count(change.before)) != 1:
            raise ValueError(f"{name}: {change.before!r} must be in {change.file} once; it is there {times} times")
        path.write_text(source.replace(change.before, change.after))


def main() -> int:
    """Run chaos on each mutant; returns 1 if one of them passes."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.mutations", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(MUTATIONS), help=f"of {', '.join(MUTATIONS)}")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--intents", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2, help="mutants that run at a time (%(default)s)")
    options = parser.parse_args()
    with ThreadPoolExecutor(options.jobs) as pool:
        killed = list(pool.map(lambda name: _is_killed(name, options.seed, options.intents), options.names))
    survivors = [name for name, found in zip(options.names, killed, strict=True) if not found]
    print(f"{len(options.names) - len(survivors)} of {len(options.names)} mutants were found out; not: {survivors}")
    return 1 if survivors else 0


def _is_killed(name: str, seed: int, intents: int) -> bool:
    """Return whether the run of a mutant fails by what it has found."""
    with tempfile.TemporaryDirectory(prefix="steadyhand-mutant-") as folder:
        copy = Path(folder) / "sources"
        shutil.copytree(ROOT, copy, ignore=_NOT_COPIED)
        mutate(copy, name)
        command = [sys.executable, "-m", "tests.chaos", "--seed", str(seed), "--intents", str(intents), *_QUICK]
        env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        run = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    line = lines[-1] if lines else ""
    found = run.returncode == 1 and line.startswith("{")
    findings = [f"\n    {each}" for each in lines if each.split(":")[0] in KINDS]
    verdict = "found out" if found else "NOT FOUND OUT"
    print(f"{name}: {verdict}: {line or run.stderr[-500:]}{''.join(findings[:5])}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
