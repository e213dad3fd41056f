"""One plugin's process, as the worker has it: started on first use, asked one thing at a time, replaced after harm."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from domain.candles import Candles
from domain.config_errors import problems_of
from domain.model import Model
from plugins.errors import PluginFailed, PluginPerished
from plugins.process import Limits, Process
from plugins.sources import Source
from plugins.wire import WireBroken, packed

log = structlog.get_logger(__name__)

T = TypeVar("T")

_LONGEST_ANSWER = 1 << 18
_LONGEST_SENTENCE = 300
# A backtest asks about many candles at once: the time for a question is for so many of them.
_CANDLES_IN_TIME = 10_000


class Loaded(Model):
    """What a class says of itself: version, rule in words, parameters as a JSON schema."""

    version: str
    rule: str
    parameters: dict[str, JsonValue]


@dataclass(frozen=True)
class Question:
    """One question about a logic.

    Attributes:
        call: what is asked; see plugins/answering.py.
        details: what belongs to it.
        numbers: how many bytes of numbers the answer has.
    """

    source: Source
    call: str
    params: Mapping[str, Any]
    details: Mapping[str, Any]
    candles: Candles | None = None
    numbers: int = 0

    @property
    def who(self) -> str:
        """The logic with these parameters."""
        return json.dumps([self.source.kind, self.source.target, dict(self.params)], sort_keys=True)


class Host:
    """Runs one plugin. Any number of threads may ask; the plugin answers one after the other.

    Attributes:
        ended: how many of its processes have ended before their time.
    """

    def __init__(self, owner: str, limits: Limits) -> None:
        self._owner = owner
        self._limits = limits
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._loaded: dict[Source, Loaded] = {}
        self._closed = False
        self.ended = 0

    @property
    def pid(self) -> int | None:
        """The process that runs now, if one does."""
        process = self._process
        return process.pid if process else None

    def loaded(self, source: Source) -> Loaded:
        """Return what a class says of itself, loading it if need be.

        Raises:
            PluginFailed: it cannot be loaded.
        """
        with self._lock:
            self._running(source)
            return self._loaded[source]

    def version(self, source: Source) -> str:
        """Return the version of what was loaded last. It asks nobody, and so does not block."""
        return self._loaded[source].version

    def ask(self, question: Question, of: TypeAdapter[T]) -> tuple[T, bytearray]:
        """Return the answer, and the numbers that come with it.

        A process that others have used, and that dies or is out of memory now, may have been spoilt by them: then the
        question is asked once more, in a new one.

        Raises:
            PluginFailed: the plugin raised, gave nonsense, took too long or broke down.
        """
        with self._lock:
            others = bool(self._process and self._process.served - {question.who})
            try:
                head, numbers = self._asked(question)
            except PluginPerished as error:
                if not others:
                    raise
                log.warning("plugin is asked again in a new process", plugin=self._owner, reason=str(error))
                head, numbers = self._asked(question)
        if len(numbers) != question.numbers:
            raise PluginFailed(f"{question.source}: {question.call} gave {len(numbers)} values for {question.numbers}")
        return _understood(question, head, of), numbers

    def close(self) -> None:
        """End the process. What is being asked fails."""
        self._closed = True
        process = self._process
        if process is not None:
            process.end()

    def _asked(self, question: Question) -> tuple[bytes, bytearray]:
        process = self._running(question.source)
        process.served.add(question.who)
        count = len(question.candles) if question.candles is not None else 0
        seconds = self._limits.call_seconds * max(1.0, count / _CANDLES_IN_TIME)
        return self._exchange(process, question, seconds)

    def _running(self, source: Source) -> Process:
        """Return a process that has loaded a class."""
        if self._process is None and not self._closed:
            self._process = Process(self._limits)
            log.info("plugin runs", plugin=self._owner, pid=self._process.pid)
        process = self._process
        if process is None or self._closed:  # also while it was being started
            self._replace()
            raise PluginFailed(f"{source}: this process is stopping")
        if source.target not in process.loaded:
            question = Question(source, "load", {}, {})
            try:
                head, _ = self._exchange(process, question, self._limits.start_seconds)
                self._loaded[source] = _understood(question, head, _LOADED)
            except PluginFailed:
                self._replace()  # a module that has half been imported stays so: a mended one is to be seen
                raise
            process.loaded.add(source.target)
        return process

    def _exchange(self, process: Process, question: Question, seconds: float) -> tuple[bytes, bytearray]:
        source = question.source
        head = {
            "call": question.call,
            "kind": source.kind,
            "target": source.target,
            "distribution": source.distribution,
            "params": question.params,
            "seconds": seconds,
            **question.details,
        }
        body = b"" if question.candles is None else packed(question.candles)
        limit = _LONGEST_ANSWER + question.numbers
        try:
            answer, numbers = process.ask(json.dumps(head).encode(), body, seconds=seconds, limit=limit)
        except TimeoutError:
            self._replace()
            raise PluginFailed(f"{source}: no answer within {seconds:g} s; its process was killed") from None
        except (EOFError, OSError):
            raise PluginPerished(f"{source}: its process broke off: {self._replace()}") from None
        except WireBroken as error:
            self._replace()
            raise PluginFailed(f"{source}: {error}; its process was killed") from None
        if not answer.startswith(b"+"):
            raise self._failure(source, answer[1:])
        return answer[1:], numbers

    def _failure(self, source: Source, told: bytes) -> PluginFailed:
        failure = json.loads(told)
        place = f" ({failure['place']})" if failure["place"] else ""
        text = f"{source}: {failure['type']}: {failure['reason']}{place}"
        if not failure["memory"]:
            return PluginFailed(text)
        self._replace()
        return PluginPerished(f"{text}; of {self._limits.memory_mb} MB none is left; its process was killed")

    def _replace(self) -> str:
        process, self._process = self._process, None
        if process is None:
            return "it was killed"
        how = process.end()
        self.ended += 1
        log.warning("plugin's process ended", plugin=self._owner, pid=process.pid, how=how)
        return how


_LOADED: TypeAdapter[Loaded] = TypeAdapter(Loaded)


def _understood(question: Question, answer: bytes, of: TypeAdapter[T]) -> T:
    try:
        return of.validate_json(answer, strict=True)
    except ValidationError as error:
        problems = problems_of(error, BaseModel, at=(question.call,))
        # A place may have a name of the plugin's own, of any length.
        raise PluginFailed(f"{question.source}: it gave nonsense: {problems[0]!s:.{_LONGEST_SENTENCE}}") from None
