"""`python -m tests.chaos --seed 7 --intents 300`: one chaos run. Ends with a line of JSON; 1 if anything is wrong."""

import argparse
import asyncio
import sys
from pathlib import Path

from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from tests.chaos.events import LONG, SHORT
from tests.chaos.run import Plan, run


def main() -> int:
    """Run, print what is wrong, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="what is drawn: market, faults, events (%(default)s)")
    parser.add_argument("--intents", type=int, default=300, help="order intents at least (%(default)s)")
    parser.add_argument("--bots", type=int, default=20, help="how many bots trade (%(default)s)")
    parser.add_argument("--short", action="store_true", help="everything happens quickly, as in the tests")
    parser.add_argument("--home", type=Path, help="an empty folder in which files and logs stay after the run")
    parser.add_argument("--settle", type=float, default=120, help="seconds to come to rest in the end (%(default)g)")
    options = parser.parse_args()
    pace = SHORT if options.short else LONG
    plan = Plan(options.seed, options.intents, options.bots, pace, options.home, options.settle)
    # That servers are away is no news here.
    quiet = LoggingConfig(TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=quiet)))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    outcome = asyncio.run(run(plan))
    for finding in outcome.findings.all:
        print(finding)
    print(outcome.line)
    return 0 if outcome.clean else 1


if __name__ == "__main__":
    sys.exit(main())
