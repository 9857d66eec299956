"""Values of the core as JSON and back, in whichever revision the other end runs.

A field that is as its class leaves it is not written down: so a revision that does not have the
field yet reads the value all the same. One that has it otherwise is `Inexpressible` there.
"""

import dataclasses
import enum
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from immutables import Map

CORE: Final = "grantproof.core"


class Inexpressible(Exception):
    """The revision has no such value."""


def encode(value: object) -> Any:
    """Return the value as JSON. Raises `Inexpressible` for what is no value of the core."""
    match value:
        case None | bool():
            return value
        case enum.Enum():
            return {"is": dotted(type(value)), "name": value.name}
        case int():
            return int(value)
        case str():
            return str(value) if type(value) is str else {"is": dotted(type(value)), "text": value}
        case tuple() | list():
            return {"is": "tuple", "of": [encode(one) for one in cast(tuple[object, ...], value)]}
        case set() | frozenset():
            members = [encode(one) for one in cast(frozenset[object], value)]
            return {"is": "set", "of": sorted(members, key=repr)}
        case Mapping():
            pairs = cast(Mapping[object, object], value).items()
            return {"is": "map", "of": sorted(([encode(k), encode(v)] for k, v in pairs), key=repr)}
        case type():
            return {"is": "type", "of": dotted(value)}
        case _:
            return _encoded_fields(value)


def _encoded_fields(value: object) -> Any:
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        message = f"{type(value).__name__} is no value of the core"
        raise Inexpressible(message)
    there = {
        field.name: encode(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if field.init and getattr(value, field.name) != field.default
    }
    return {"is": dotted(type(value)), "with": there}


def dotted(cls: type) -> str:
    """Return the dotted name of a class."""
    return f"{cls.__module__}.{cls.__qualname__}"


def decode(told: Any) -> Any:
    """Return the value in the revision that is imported. Raises `Inexpressible`, or what it does.

    A constructor may refuse what the other revision allows, each with its own exception.
    """
    if not isinstance(told, dict):
        return told
    match told:
        case {"is": "tuple", "of": members}:
            return tuple(decode(one) for one in members)
        case {"is": "set", "of": members}:
            return frozenset(decode(one) for one in members)
        case {"is": "map", "of": pairs}:
            return Map({decode(key): decode(value) for key, value in pairs})
        case {"is": "type", "of": name}:
            return named(name)
        case {"is": name, "name": member}:
            return member_of(named(name), member)
        case {"is": name, "text": text}:
            return named(name)(text)
        case _:
            return _with_fields(named(told["is"]), told["with"])


def member_of(kind: Any, member: str) -> Any:
    """Return the member of an enumeration, which the revision may not have."""
    if member not in kind.__members__:
        message = f"{kind.__name__} has no `{member}`"
        raise Inexpressible(message)
    return kind[member]


def _with_fields(kind: Any, told: dict[str, Any]) -> Any:
    known = {field.name for field in dataclasses.fields(kind) if field.init}
    unknown = sorted(told.keys() - known)
    if unknown:
        message = f"{kind.__name__} has no `{unknown[0]}`"
        raise Inexpressible(message)
    return kind(**{name: decode(value) for name, value in told.items()})


def named(name: str) -> Any:
    """Return the class: where it was, or the only one of that name, should it have moved."""
    module, _, last = name.rpartition(".")
    found = getattr(sys.modules.get(module), last, None)
    if isinstance(found, type):
        return found
    others = {id(one): one for one in _classes() if one.__name__ == last}
    if len(others) != 1:
        message = f"there is no `{last}`"
        raise Inexpressible(message)
    return next(iter(others.values()))


def _classes() -> Iterator[type]:
    for name, module in tuple(sys.modules.items()):
        if name.startswith(CORE):
            yield from (one for one in vars(module).values() if isinstance(one, type))


def attempted(act: Callable[[], Any]) -> Any:
    """Return what the act gives as JSON, or what it raises: that is an answer too."""
    try:
        return encode(act())
    except Inexpressible:
        raise
    except Exception as raised:  # noqa: BLE001 - whatever a revision raises, it answers by it
        return {"raises": type(raised).__name__}


def said(told: Any) -> str:
    """Return a JSON value as a person writes it."""
    match told:
        case {"raises": error}:
            return f"raises {error}"
        case {"is": "tuple" | "set", "of": members}:
            return f"({', '.join(said(one) for one in members)})"
        case {"is": "map", "of": pairs}:
            return "{" + ", ".join(f"{said(key)}: {said(value)}" for key, value in pairs) + "}"
        case {"is": "type", "of": name}:
            return str(name).rpartition(".")[2]
        case {"is": name, "name": member}:
            return f"{str(name).rpartition('.')[2]}.{member}"
        case {"text": text}:
            return str(text)
        case {"is": name, "with": fields}:
            inner = ", ".join(f"{key}={said(value)}" for key, value in fields.items())
            return f"{str(name).rpartition('.')[2]}({inner})"
        case _:
            return str(told)
