"""The child's side: limits itself, then answers questions until the worker hangs up.

Started by plugins/process.py as `python -m plugins.child SOCKET MEMORY_MB`, with nothing of the worker's environment.
"""

import json
import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from plugins.answering import Answers
from plugins.limiting import limit_memory
from plugins.wire import Wire, WireBroken

_LONGEST_QUESTION = 1 << 30
_LONGEST_REASON = 300
# The worker kills at the end of the budget. Should it be dead itself, the kernel does, so much later.
_GRACE_SECONDS = 5.0
_OURS = tuple(str(Path(__file__).parents[1] / room) for room in ("domain", "plugins", "strategies"))


def main(arguments: list[str]) -> NoReturn:
    """Serve the worker at the other end of a socket."""
    descriptor, memory_mb = map(int, arguments)
    wire = Wire(socket.socket(fileno=descriptor))
    limit_memory(memory_mb)
    try:
        wire.send(b"")
        answers = Answers()
        while True:
            question, body = wire.receive(limit=_LONGEST_QUESTION)
            wire.send(*_answered(answers, question, body))
    except (EOFError, OSError, WireBroken):
        _leave()


def _answered(answers: Answers, question: bytes, body: bytearray) -> tuple[bytes, bytes]:
    """Return `+` and the answer, or `-` and what went wrong; nothing that a plugin raises gets past this."""
    try:
        asked = json.loads(question)
        signal.setitimer(signal.ITIMER_REAL, asked["seconds"] + _GRACE_SECONDS)
        answer, numbers = answers.to(asked, body)
        # A NaN is sent as such: the worker refuses it, by the name of its place.
        return b"+" + json.dumps(answer, default=_plain).encode(), numbers
    except BaseException as error:  # SystemExit too
        return b"-" + json.dumps(_failure(error)).encode(), b""
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _failure(error: BaseException) -> dict[str, object]:
    try:
        reason = str(error)[:_LONGEST_REASON]
    except Exception:  # an error of a plugin's own may not even know its name
        reason = "an error that cannot be shown"
    return {
        "type": type(error).__name__,
        "reason": reason,
        "place": _place(error),
        "memory": isinstance(error, MemoryError),
    }


def _place(error: BaseException) -> str:
    """Return file and line of the innermost frame that is not Steadyhand's own."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(_OURS)]
    if not frames:
        return ""
    frame = (theirs or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _plain(value: object) -> object:
    """Return numpy's numbers as Python's."""
    item = getattr(value, "item", None)
    if callable(item):
        return item()
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _leave() -> NoReturn:
    """End this process and all that the plugin has started; threads that a plugin left running end no exit."""
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
