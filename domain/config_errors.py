"""What is wrong with a configuration: every problem at once, each with its JSON path, in plain sentences."""

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from domain.model import Model

Place: TypeAlias = Sequence[str | int]

_PLAIN = "plain_sentence"
_SHOWN_LENGTH = 60


class Problem(Model):
    """One thing that is wrong: where it stands, as a dotted JSON path, and what was found and expected there."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidConfig(ValueError):
    """A configuration is refused. Carries all of its problems; a person has to mend them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


def refuse(sentence: str) -> PydanticCustomError:
    """Return the error that a validator raises to have `sentence` reach the user as it is."""
    return PydanticCustomError(_PLAIN, "{sentence}", {"sentence": sentence})


def shown(value: object) -> str:
    """Return a value as the user has written it: JSON, in single quotes if it is text, cut when long."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"


def dotted(place: Place) -> str:
    """Return a place inside a JSON document as a dotted path."""
    return ".".join(map(str, place))


def unknown_name(name: str, known: Collection[str], *, noun: str) -> str:
    """Return the sentence for a name that is not known: with the nearest known one, else with all of them."""
    nearest = get_close_matches(name.lower(), {k.lower(): k for k in known}, n=1, cutoff=0.6)
    if nearest:
        return f"unknown {noun}; did you mean {next(k for k in known if k.lower() == nearest[0])}?"
    return f"unknown {noun}; expected one of {', '.join(known)}" if known else f"unknown {noun}; none is expected"


def as_number(value: object) -> object:
    """Pass on what may be read as a finite number; a validator to run before pydantic's own, laxer ones.

    Raises:
        PydanticCustomError: `value` is true, false, null, an object or a list, or is not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise refuse(f"must be a number; was {shown(value)}")
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        raise refuse(f"must be a finite number; was {value}")
    return value


def problems_of(
    error: ValidationError, model: type[BaseModel], *, at: Place = (), noun: str = "key"
) -> tuple[Problem, ...]:
    """Return pydantic's errors as problems.

    Args:
        model: the model that was validated; it knows the names that an unknown one may have meant.
        at: where the validated document stands inside the whole configuration.
        noun: what a name stands for in the messages: a key, a parameter.
    """
    return tuple(
        Problem(path=dotted((*at, *detail["loc"])), message=_sentence(detail, model, noun))
        for detail in error.errors(include_url=False)
    )


def _sentence(detail: ErrorDetails, model: type[BaseModel], noun: str) -> str:
    if detail["type"] == "extra_forbidden":
        return _unknown(detail["loc"], model, noun)
    translate = _SENTENCES.get(detail["type"])
    if translate is None:
        return f"{detail['msg']}; was {shown(detail['input'])}"
    return translate(detail.get("ctx", {}), shown(detail["input"]))


def _unknown(place: Place, model: type[BaseModel], noun: str) -> str:
    *parents, name = map(str, place)
    elsewhere = [path for path in _paths(model) if len(path) > 1 and path[-1] == name]
    if len(elsewhere) == 1:
        return f"unknown {noun} here; did you mean {dotted(elsewhere[0])}?"
    holder = model
    for parent in parents:
        field = holder.model_fields.get(parent)
        holder = (_model_in(field.annotation) if field else None) or holder
    return unknown_name(name, tuple(holder.model_fields), noun=noun)


def _paths(model: type[BaseModel], at: tuple[str, ...] = ()) -> Iterable[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        yield (*at, name)
        inner = _model_in(field.annotation)
        if inner is not None:
            yield from _paths(inner, (*at, name))


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    candidates = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((candidate for candidate in candidates if candidate is not None), None)


def _must_be(what: str) -> Callable[[Mapping[str, Any], str], str]:
    def sentence(context: Mapping[str, Any], was: str) -> str:
        plain = {key: int(v) if isinstance(v, float) and v.is_integer() else v for key, v in context.items()}
        return f"must be {what.format_map(plain)}; was {was}"

    return sentence


def _one_of(context: Mapping[str, Any], was: str) -> str:
    names = str(context["expected"]).replace("'", "").replace(" or ", ", ")
    return f"must be {'one of ' if ',' in names else ''}{names}; was {was}"


_NUMBER = _must_be("a number")
_WHOLE = _must_be("a whole number")
_OBJECT = _must_be("an object")
_SENTENCES: Mapping[str, Callable[[Mapping[str, Any], str], str]] = {
    _PLAIN: lambda context, _was: str(context["sentence"]),
    "missing": lambda _context, _was: "is required",
    "literal_error": _one_of,
    "greater_than": _must_be("greater than {gt}"),
    "greater_than_equal": _must_be("at least {ge}"),
    "less_than": _must_be("less than {lt}"),
    "less_than_equal": _must_be("at most {le}"),
    "decimal_max_places": _must_be("a number of at most {decimal_places} decimal places"),
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _must_be("a finite number"),
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": _must_be("true or false"),
    "bool_parsing": _must_be("true or false"),
    "string_type": _must_be("text"),
    "string_too_short": _must_be("text of at least {min_length} characters"),
    "string_too_long": _must_be("text of at most {max_length} characters"),
    "tuple_type": _must_be("a list"),
    "list_type": _must_be("a list"),
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
}
