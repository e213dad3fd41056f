"""One line of the doctor's report."""

from typing import Literal

from domain.model import Model

Verdict = Literal["ok", "warn", "fail"]


class Check(Model):
    """What was looked at, what was found, and how to mend it."""

    name: str
    verdict: Verdict
    found: str
    mend: str = ""


def ok(name: str, found: str) -> Check:
    """Return a check that found all well."""
    return Check(name=name, verdict="ok", found=found)


def warn(name: str, found: str, mend: str) -> Check:
    """Return a check that found something which need not be a trouble."""
    return Check(name=name, verdict="warn", found=found, mend=mend)


def fail(name: str, found: str, mend: str) -> Check:
    """Return a check that found a trouble."""
    return Check(name=name, verdict="fail", found=found, mend=mend)
