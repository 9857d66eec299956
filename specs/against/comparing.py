"""Every definition that the decision reads, compared: from what is read up to what reads it.

`exact` is said of what gives equal values for equal values; a proof that does not see the order of
a tuple, or which of many is given, is `equal` only, and what is not translated may not rest on it.
"""

import ast
import sys
import time
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import FunctionType, ModuleType
from typing import Final, Literal

from specs.against.asking import Pair, Silent
from specs.against.earlier import Earlier
from specs.against.plain import Inexpressible, encode, said
from specs.against.proving import (
    Reader,
    by_definition,
    directly,
    holds_now,
    unordered,
    witnesses,
)
from specs.against.reading import MAKING, Part, Program
from specs.definitions.registry import REGISTRY
from specs.kernel.expressions import constant_value
from specs.kernel.source import Source
from specs.kernel.values import Facts, Symbolic

Answer = Literal["same text", "proved", "differs", "undetermined", "inlined"]
DETERMINED: Final = frozenset(
    {"grantproof.core.hierarchy.closure", "grantproof.core.constraints._seen"}
)
"""Relations that only one result satisfies: of least sets there is one, of values in order too."""
WITNESSES_MAX: Final = 4


@dataclass(frozen=True)
class Compared:
    """What became of a definition: the answer, how it was found, and the seconds it took.

    An `opaque` one is not the same, and no reading of what reads it takes it in.
    """

    name: str
    kind: str
    answer: Answer
    how: str
    digest: str
    exact: bool = False
    equal: bool = False
    opaque: bool = False
    seconds: float = 0.0
    note: str = ""


@dataclass
class Comparison:
    """The old program beside the new one. `loaded` are the old modules, `pair` runs both.

    Once it is `settled` that they differ, nothing is proved of what itself says the same.
    """

    old: Program
    new: Program
    loaded: Mapping[str, ModuleType]
    pair: Pair
    known: dict[str, Compared] = field(default_factory=dict)
    witnesses: list[dict[str, typing.Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    settled: bool = False

    def __post_init__(self) -> None:
        self._open: set[str] = set()
        self._holding: dict[str, bool] = {}
        gone, come = (self._classes(*pair) for pair in self._both_ways())
        self._reader = Reader(
            Earlier(dict(self.old.texts), loaded=self.loaded, program=self.old),
            Source(),
            lambda name: name in self.known and self.known[name].equal,
            lambda name: name in self.known and self.known[name].exact,
            (*(self._loaded_class(name) for name in gone), *map(live, come)),
            tuple(self._new_fields()),
        )

    def compare(self, name: str) -> Compared:
        """Return what became of a definition, once it is known of all that it reads."""
        if name in self.known:
            return self.known[name]
        old, new = self.old.parts.get(name), self.new.parts.get(name)
        if name in self._open:
            same = old is not None and new is not None and old.digest == new.digest
            told: Answer = "same text" if same else "undetermined"
            return Compared(name, "function", told, "it calls itself", "", same, same)
        self._open.add(name)
        reads = {*(old.reads if old else ()), *(new.reads if new else ())}
        parts = self.old.parts.keys() | self.new.parts.keys()
        callees = [self.compare(read) for read in sorted(reads & parts)]
        self._open.discard(name)
        started = time.perf_counter()
        found = self._judged(name, callees)
        self.known[name] = replace(found, seconds=time.perf_counter() - started)
        return self.known[name]

    def _judged(self, name: str, callees: list[Compared]) -> Compared:
        old, new = self.old.parts.get(name), self.new.parts.get(name)
        part = new or old
        if part is None:
            message = f"there is no {name}"
            raise LookupError(message)
        if old is None or new is None:
            where = "old" if new is None else "new"
            how = f"only in the {where} revision: read with what calls it"
            opaque = is_silent(name) or (part.kind == "class" and not is_dataclass_text(part))
            return Compared(name, part.kind, "inlined", how, part.digest, opaque=opaque)
        digest = new.digest if old.digest == new.digest else f"{old.digest} -> {new.digest}"
        inexact = [one.name for one in callees if not one.exact]
        if old.digest == new.digest and not inexact:
            how = "same text, and all that it reads is the same"
            return Compared(name, part.kind, "same text", how, digest, exact=True, equal=True)
        match part.kind:
            case "class":
                return self._class(name, digest, inexact)
            case "constant":
                return self._constant(name, digest, inexact)
            case _:
                if self.settled and old.digest == new.digest:
                    how = "not looked into: a request shows that the revisions differ"
                    return Compared(name, part.kind, "undetermined", how, digest)
                found = self._function(name, digest, callees)
                return found if found.equal else replace(found, opaque=is_silent(name))

    # ------------------------------------------------------------ functions

    def _function(self, name: str, digest: str, callees: list[Compared]) -> Compared:
        function = live(name)
        if not isinstance(function, FunctionType):
            return Compared(name, "function", "undetermined", "it cannot be called", digest)
        opaque = next((one.name for one in callees if one.opaque), "")
        if opaque:
            why = f"{short(opaque)} is not the same, and a reading passes it over"
            return Compared(name, "function", "undetermined", why, digest, opaque=True)
        entry = REGISTRY.get(name)
        plain = unordered(typing.get_type_hints(function).get("return"))
        why = ""
        if plain or entry is None:
            found, why = self._directly(name, function, digest, exact=plain)
            if found is not None:
                return found
        if entry is None:
            return Compared(name, "function", "undetermined", why, digest)
        self._reader.used.clear()
        self._reader.used.add(name)
        defined, why_not = by_definition(entry, self._reader)
        if not defined:
            why = "; ".join(filter(None, (why, why_not)))
            return Compared(name, "function", "undetermined", why, digest)
        how = f"both do what the definition says ({entry.property_id})"
        exact = (plain and not entry.relational) or name in DETERMINED
        return self._rests(Compared(name, "function", "proved", how, digest, exact, equal=True))

    def _directly(
        self, name: str, function: FunctionType, digest: str, *, exact: bool
    ) -> tuple[Compared | None, str]:
        """Return what came of reading both texts on the same arguments, or why nothing did."""
        self._reader.used.clear()
        same, why, asked = directly(function, self._reader)
        if same:
            how = "both texts give the same for all arguments"
            found = Compared(name, "function", "proved", how, digest, exact, equal=True)
            return self._rests(found), ""
        if asked is not None and self._shown(name, function, asked):
            return Compared(name, "function", "differs", self._last(), digest), why
        return None, why

    def _rests(self, found: Compared) -> Compared:
        """Return a proof, unless a definition that it rests on does not hold of the new source."""
        reached = self.new.closure(set(self._reader.used)) & REGISTRY.keys()
        needed = sorted(
            {name for name in reached if name in self._reader.used or name in self.known}
        )
        for name in needed:
            if name not in self._holding:
                self._holding[name] = holds_now(name)
            if not self._holding[name]:
                how = f"the proof would rest on {short(name)}, which is not proved now"
                return Compared(found.name, found.kind, "undetermined", how, found.digest)
        return found

    def _shown(self, name: str, function: FunctionType, asked: typing.Any) -> bool:
        """Return whether both functions, run on what the solver found, really differ."""
        for number, witness in enumerate(witnesses(asked)):
            if number >= WITNESSES_MAX:
                break
            self.witnesses.append(witness)
            try:
                told = {key: encode(value) for key, value in witness.items()}
                module = function.__module__
                old, new = self.pair.call((module, name[len(module) + 1 :]), told)
            except (Inexpressible, Silent):
                continue
            if old != new:
                given = ", ".join(f"{key}={said(value)}" for key, value in told.items())
                self.notes.append(
                    f"{short(name)}({given}) gives {said(old)} in the old revision, "
                    f"{said(new)} in the new one"
                )
                return True
        return False

    def _last(self) -> str:
        return f"run on what the solver found: {self.notes[-1]}"

    # ------------------------------------------------------------ classes and constants

    def _class(self, name: str, digest: str, inexact: list[str]) -> Compared:
        old, new = (header(program.parts[name]) for program in (self.old, self.new))
        added, gone = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
        apart = [key for key in old.keys() & new.keys() if old[key] != new[key]]
        said = old | new
        fields_only = all(is_field(key, said[key]) for key in (*added, *gone))
        if apart or not fields_only or inexact:
            why = f"`{(apart or [*added, *gone] or [short(one) for one in inexact])[0]}` is another"
            return Compared(name, "class", "undetermined", why, digest, opaque=True)
        told = [*(f"new field {short(name)}.{one}" for one in added)]
        told += [f"{short(name)}.{one} is gone" for one in gone]
        self.notes += told
        how = f"compared over the values of both: {', '.join(told)}"
        return Compared(name, "class", "proved", how, digest, exact=True, equal=True)

    def _constant(self, name: str, digest: str, inexact: list[str]) -> Compared:
        old, new = (members(program, program.parts[name]) for program in (self.old, self.new))
        if old and new and not set(inexact) - (old ^ new):
            told = [f"new alternative {short(one)} of {short(name)}" for one in sorted(new - old)]
            told += [f"{short(name)} is no longer {short(one)}" for one in sorted(old - new)]
            self.notes += told
            how = f"compared over the alternatives of both: {', '.join(told)}"
            return Compared(name, "constant", "proved", how, digest, exact=True, equal=True)
        try:
            first, second = (encode(value) for value in (self._loaded(name), live(name)))
        except (Inexpressible, AttributeError, KeyError):
            why = "a constant that is no plain value"
            return Compared(name, "constant", "undetermined", why, digest, opaque=True)
        how = "the same value"
        if first == second:
            return Compared(name, "constant", "proved", how, digest, exact=True, equal=True)
        how = f"{said(first)} in the old revision, {said(second)} in the new one"
        self.notes.append(f"{short(name)} is {how}")
        return Compared(name, "constant", "differs", how, digest)

    def _loaded(self, name: str) -> object:
        """Return a definition of the old revision, under the name that it has now."""
        back = {new: old for old, new in self.old.moved.items()}
        module, _, last = back.get(name, name).rpartition(".")
        return getattr(self.loaded[module], last)

    def _loaded_class(self, name: str) -> type:
        return typing.cast(type, self._loaded(name))

    def _both_ways(self) -> tuple[tuple[Program, Program], tuple[Program, Program]]:
        return (self.old, self.new), (self.new, self.old)

    def _classes(self, program: Program, other: Program) -> list[str]:
        """Return the dataclasses that only one of the programs has."""
        return [
            name
            for name, part in program.parts.items()
            if name not in other.parts and is_dataclass_text(part)
        ]

    def _new_fields(self) -> typing.Iterator[tuple[type, str, Symbolic]]:
        """Yield the fields that only the new classes have and whose default is a plain value."""
        for name, part in self.new.parts.items():
            if part.kind != "class" or name not in self.old.parts:
                continue
            added = header(part).keys() - header(self.old.parts[name]).keys()
            for one in (
                fields(live(name)) if added and hasattr(live(name), "__match_args__") else ()
            ):
                plain = one.default is None or type(one.default) in {bool, int, str}
                if one.name in added and one.init and plain:
                    yield live(name), one.name, constant_value(one.default, Facts())


def live(name: str) -> typing.Any:
    """Return what the dotted name means in the new revision, or nothing."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        found: typing.Any = sys.modules.get(".".join(parts[:cut]))
        if found is not None:
            for part in parts[cut:]:
                found = vars(found).get(part)
                if found is None:
                    return None
            return getattr(found, "fget", None) or getattr(found, "__func__", found)
    return None


def is_dataclass_text(part: Part) -> bool:
    """Return whether the text defines a dataclass."""
    made = part.node.decorator_list if isinstance(part.node, ast.ClassDef) else []
    return any("dataclass" in ast.unparse(one) for one in made)


def is_silent(name: str) -> bool:
    """Return whether a function runs without being called by name: a reading passes it over."""
    last = name.rpartition(".")[2]
    return last.startswith("__") and last.endswith("__")


def short(name: str) -> str:
    """Return a dotted name without the package."""
    return name.removeprefix("grantproof.core.")


def header(part: Part) -> dict[str, str]:
    """Return what a class says besides its functions, by name: its fields, and how it is made."""
    node = typing.cast(ast.ClassDef, part.node)
    told = {"@": ", ".join(map(ast.unparse, node.decorator_list))}
    told["()"] = ", ".join(map(ast.unparse, node.bases))
    for one in node.body:
        match one:
            case ast.AnnAssign(target=ast.Name(id=name)):
                default = "" if one.value is None else ast.unparse(one.value)
                told[name] = f"{ast.unparse(one.annotation)} = {default}"
            case ast.FunctionDef(name=name) if name.startswith("__") and name not in MAKING:
                told[f"{name}()"] = "a function"
            case ast.FunctionDef() | ast.Expr():
                continue
            case _:
                told[ast.unparse(one)] = "a statement"
    return told


def is_field(key: str, text: str) -> bool:
    """Return whether what a class says is a field that its constructor takes."""
    return key.isidentifier() and "init=False" not in text and text != "a function"


def members(program: Program, part: Part) -> frozenset[str]:
    """Return the classes of a union that is given a name, or nothing where it is none."""
    value = part.node.value if isinstance(part.node, ast.Assign | ast.AnnAssign) else None
    found: list[str] = []
    work: list[ast.expr | None] = [value]
    while work:
        match work.pop():
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                work += [left, right]
            case ast.Name(id=name) if meant := program.resolve(part.module, name):
                found.append(meant)
            case _:
                return frozenset()
    return frozenset(found) if isinstance(value, ast.BinOp) else frozenset()
