"""What the child answers: it loads classes, makes logics of parameters and asks them, as the worker would."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np
from pydantic import ValidationError

from domain.config_errors import problems_of
from domain.decisions import ExitState
from plugins.guards import Guarded, guarded
from plugins.loading import load_class, rule_of, version_of
from plugins.wire import unpacked
from strategies.entry_logic import AnyEntry, EntryLogic, EntryVerdict
from strategies.exit_logic import AnyExit, EntryPoint, ExitLogic, ExitOutcome
from strategies.logic import Parameters

Answer = tuple[Any, bytes]
T = TypeVar("T")

_KEPT = 4096


class Answers:
    """Answers questions. Each names a logic: its kind, target, distribution and parameters."""

    def __init__(self) -> None:
        self._classes: dict[tuple[str, str], type[AnyEntry] | type[AnyExit]] = {}
        self._logics: dict[str, Guarded] = {}
        self._calls: Mapping[str, Callable[[Mapping[str, Any], bytearray], Answer]] = {
            "load": self._load,
            "check": self._check,
            "open": self._open,
            "suit": self._suit,
            "verdict": self._verdict,
            "signals": self._signals,
            "start": self._start,
            "fold": self._fold,
        }

    def to(self, asked: Mapping[str, Any], body: bytearray) -> Answer:
        """Answer one question. Whatever the plugin raises, this raises."""
        return self._calls[asked["call"]](asked, body)

    def _load(self, asked: Mapping[str, Any], _body: bytearray) -> Answer:
        loaded = self._class(asked)
        parameters = loaded.Params.model_json_schema()
        version = version_of(loaded, asked["distribution"])
        return {"version": version, "rule": rule_of(loaded), "parameters": parameters}, b""

    def _check(self, asked: Mapping[str, Any], _body: bytearray) -> Answer:
        model: type[Parameters] = self._class(asked).Params
        try:
            model.model_validate(asked["params"])
        except ValidationError as error:
            problems = problems_of(error, model, at=asked["at"], noun="parameter")
            return [problem.model_dump() for problem in problems], b""
        return [], b""

    def _open(self, asked: Mapping[str, Any], _body: bytearray) -> Answer:
        logic = self._logic(asked).logic
        identity = logic.identity if isinstance(logic, ExitLogic) else logic.name
        return {"warmup": logic.warmup, "identity": identity}, b""

    def _suit(self, asked: Mapping[str, Any], _body: bytearray) -> Answer:
        logic = self._logic(asked).logic
        return {"warmup": logic.warmup_at(asked["interval"]), "misfit": logic.misfit(asked["interval"])}, b""

    def _verdict(self, asked: Mapping[str, Any], body: bytearray) -> Answer:
        verdict = _expected("verdict", self._entry(asked).verdict(unpacked(body)), EntryVerdict)
        return _shape(verdict, conditions=[_dumped(condition) for condition in verdict.conditions]), b""

    def _signals(self, asked: Mapping[str, Any], body: bytearray) -> Answer:
        flags = _expected("signals", self._entry(asked).signals(unpacked(body)), np.ndarray)
        return None, flags.astype("?").tobytes()

    def _start(self, asked: Mapping[str, Any], body: bytearray) -> Answer:
        state = self._exit(asked).start(unpacked(body), EntryPoint(**asked["entry"]))
        return _dumped(_expected("start", state, ExitState)), b""

    def _fold(self, asked: Mapping[str, Any], body: bytearray) -> Answer:
        state = ExitState.model_validate(asked["state"])
        folded = self._exit(asked).fold(unpacked(body), state, EntryPoint(**asked["entry"]))
        outcome = _expected("fold", folded, ExitOutcome)
        fired = None if outcome.exit is None else asdict(outcome.exit)
        conditions = [_dumped(condition) for condition in outcome.conditions]
        return _shape(outcome, state=_dumped(outcome.state), exit=fired, conditions=conditions), b""

    def _class(self, asked: Mapping[str, Any]) -> type[AnyEntry] | type[AnyExit]:
        key = asked["kind"], asked["target"]
        if key not in self._classes:
            self._classes[key] = load_class(*key)
        return self._classes[key]

    def _logic(self, asked: Mapping[str, Any]) -> Guarded:
        key = json.dumps([asked["kind"], asked["target"], asked["params"]], sort_keys=True)
        if key not in self._logics:
            if len(self._logics) >= _KEPT:
                self._logics.clear()
            self._logics[key] = guarded(self._class(asked), asked["params"])
        found = self._logics[key]
        found.enough = asked.get("enough")
        return found

    def _entry(self, asked: Mapping[str, Any]) -> AnyEntry:
        logic = self._logic(asked).logic
        assert isinstance(logic, EntryLogic)
        return logic

    def _exit(self, asked: Mapping[str, Any]) -> AnyExit:
        logic = self._logic(asked).logic
        assert isinstance(logic, ExitLogic)
        return logic


def _expected(method: str, found: Any, of: type[T]) -> T:
    if not isinstance(found, of):
        article = "an" if of.__name__[0] in "AEIOU" else "a"
        raise TypeError(f"{method} must give {article} {of.__name__}; gave {found!r:.80}")
    return found


def _dumped(value: Any) -> Any:
    """Return a model as plain values; anything else as it is, which the worker refuses by name."""
    return value.model_dump() if hasattr(value, "model_dump") else value


def _shape(value: Any, **fields: Any) -> dict[str, Any]:
    """Return the attributes of a value object, some of them replaced."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__} | fields
