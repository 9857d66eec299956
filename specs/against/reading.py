"""Which function, class and constant of the core reads which, found in the text alone.

What is read is never less than what runs: a method may be that of any class that has one so named.
What constructs a value counts where a function makes one, not where a value is only looked at.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from specs.against.normal import is_function, is_text, says

Kind = Literal["function", "class", "constant"]
MAKING: Final = frozenset({"__init__", "__new__", "__post_init__"})
REST: Final = "<statements>"
"""What a module does besides defining: everything in it reads that."""


@dataclass(frozen=True, eq=False)
class Part:
    """A definition. What it says and reads is found when asked for: of most nobody asks."""

    name: str
    kind: Kind
    module: str
    node: ast.AST
    program: "Program" = field(repr=False)

    @property
    def digest(self) -> str:
        """The digest of what it says."""
        return self._said[0]

    @property
    def reads(self) -> frozenset[str]:
        """The dotted names of what it reads."""
        return self._said[1]

    @cached_property
    def _said(self) -> tuple[str, frozenset[str]]:
        return self.program.said(self)


@dataclass
class Program:
    """The core of a revision, definition by definition. `moved` gives old names their new ones."""

    texts: Mapping[str, str]
    moved: Mapping[str, str] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._trees = {module: ast.parse(text) for module, text in self.texts.items()}
        self._scopes = {module: self._scope(module) for module in self._trees}
        self._nodes = {
            name: (module, node, owner) for name, module, node, owner in self._definitions()
        }
        self._methods: dict[str, set[str]] = {}
        for name, (_, node, owner) in self._nodes.items():
            if owner and isinstance(node, ast.FunctionDef):
                self._methods.setdefault(node.name, set()).add(name)
        for name, (module, node, _) in self._nodes.items():
            self.parts[name] = Part(name, _kind(node), module, node, self)

    def closure(self, starts: set[str]) -> set[str]:
        """Return the parts that are read from the starts on, themselves included."""
        seen, work = set[str](), [name for name in starts if name in self.parts]
        while work:
            name = work.pop()
            if name not in seen:
                seen.add(name)
                work.extend(read for read in self.parts[name].reads if read in self.parts)
        return seen

    def resolve(self, module: str, name: str) -> str:
        """Return the dotted name of what a global of a module means, under its new name."""
        dotted = self._scopes[module].get(name, "")
        return self.renamed(dotted)

    def renamed(self, dotted: str) -> str:
        """Return the name under which a definition is known now."""
        for old, new in self.moved.items():
            if dotted == old or dotted.startswith(f"{old}."):
                return new + dotted[len(old) :]
        return dotted

    def _scope(self, module: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for node in ast.walk(self._trees[module]):
            match node:
                case ast.ImportFrom(module=str(origin), names=names):
                    found |= {one.asname or one.name: f"{origin}.{one.name}" for one in names}
                case ast.Import(names=names):
                    found |= {one.asname or one.name: one.name for one in names}
                case _:
                    continue
        for node in self._trees[module].body:
            found |= {name: f"{module}.{name}" for name in defined(node)}
        return found

    def _definitions(self) -> Iterator[tuple[str, str, ast.AST, str]]:
        for module, tree in self._trees.items():
            rest = ast.Module([], [])
            for node in tree.body:
                names = defined(node)
                for name in names:
                    yield self.renamed(f"{module}.{name}"), module, node, ""
                    if isinstance(node, ast.ClassDef):
                        owner = self.renamed(f"{module}.{name}")
                        for inner in node.body:
                            if isinstance(inner, ast.FunctionDef):
                                yield f"{owner}.{inner.name}", module, inner, owner
                if not names and not is_text(node) and not _is_import(node):
                    rest.body.append(node)
            if rest.body:
                yield f"{module}.{REST}", module, rest, ""

    def said(self, part: Part) -> tuple[str, frozenset[str]]:
        """Return the digest of what a part says, and the dotted names of what it reads."""
        name, module, node = part.name, part.module, part.node
        read, resolved = set[str](), set[str]()
        looked_at = list(_looked_at(node))
        for one in looked_at:
            if not isinstance(one, ast.Name) or not isinstance(one.ctx, ast.Load):
                continue
            if meant := self.resolve(module, one.id):
                resolved.add(f"{one.id} = {meant}" if meant not in self._nodes else meant)
                read.add(meant)
        read |= {made for one in looked_at for made in self._made(one, module, name)}
        if isinstance(node, ast.ClassDef):
            read |= {f"{name}.{one}" for one in _operators(node)}
        if f"{module}.{REST}" in self._nodes:
            read.add(f"{module}.{REST}")
        digest = says(node, self._scopes[module], resolved - _only_typed(self, module, node))
        return digest, frozenset(read - {name})

    def _made(self, node: ast.AST, module: str, name: str) -> Iterator[str]:
        """Yield the functions that the syntax node may run besides what it names."""
        match node:
            case ast.Attribute(value=ast.Name(id=owner), attr=attr) if (
                f"{self.resolve(module, owner)}.{attr}" in self._nodes
            ):
                yield f"{self.resolve(module, owner)}.{attr}"
                yield from self._makers(f"{self.resolve(module, owner)}.{attr}")
            case ast.Attribute(attr=attr):
                yield from self._methods.get(attr, ())
            case ast.Call(func=ast.Name(id="cls")):
                yield from self._makers(name.rpartition(".")[0])
            case ast.Call(func=ast.Name(id="replace")):
                yield from self._all_makers
            case ast.Call(func=ast.Name(id=called)):
                yield from self._makers(self.resolve(module, called))
            case _:
                return

    @cached_property
    def _all_makers(self) -> frozenset[str]:
        return frozenset(one for cls in self._nodes for one in self._makers(cls))

    def _makers(self, name: str) -> Iterator[str]:
        """Yield the functions that run where an instance of the class is made."""
        module, node, _ = self._nodes.get(name, ("", ast.Pass(), ""))
        if isinstance(node, ast.ClassDef):
            yield from (f"{name}.{one}" for one in MAKING if f"{name}.{one}" in self._nodes)
            for base in node.bases:
                if isinstance(base, ast.Name):
                    yield from self._makers(self.resolve(module, base.id))


def _kind(node: ast.AST) -> Kind:
    match node:
        case ast.ClassDef():
            return "class"
        case ast.FunctionDef():
            return "function"
        case _:
            return "constant"


def _looked_at(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the syntax nodes of a definition; of a class, without its functions."""
    if not isinstance(node, ast.ClassDef):
        yield from ast.walk(node)
        return
    for one in (*node.bases, *node.decorator_list, *node.keywords, *node.body):
        if not (isinstance(one, ast.stmt) and is_function(one)):
            yield from ast.walk(one)


def _only_typed(program: Program, module: str, node: ast.AST) -> set[str]:
    """Return what a function names in annotations alone: it runs the same without."""
    if not isinstance(node, ast.FunctionDef):
        return set()
    typed: list[ast.AST] = []
    whole = list(ast.walk(node))
    for one in whole:
        for place in ("annotation", "returns"):
            if isinstance(kind := getattr(one, place, None), ast.AST):
                typed.extend(ast.walk(kind))
    inside = {id(one) for one in typed}
    used = {one.id for one in whole if isinstance(one, ast.Name) and id(one) not in inside}
    names = {one.id for one in typed if isinstance(one, ast.Name)} - used
    meant = [(name, program.resolve(module, name)) for name in names]
    return {word for name, one in meant for word in (one, f"{name} = {one}")}


def defined(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module defines."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Assign(targets=[ast.Name(id=name)]):
            return [name]
        case _:
            return []


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _operators(node: ast.ClassDef) -> list[str]:
    """Return the functions that say what an operator or a loop does with an instance."""
    names = [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
    return [name for name in names if name.startswith("__") and name not in MAKING]


def moves(old: Program, new: Program) -> dict[str, str]:
    """Return the new names of what only changed its module: alone of its name on either side."""
    gone = _by_last(old, new)
    come = _by_last(new, old)
    return {
        one[0]: come[last][0]
        for last, one in gone.items()
        if len(one) == 1 and len(come.get(last, [])) == 1
    }


def _by_last(program: Program, other: Program) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, part in program.parts.items():
        if name not in other.parts and name == f"{part.module}.{name.rpartition('.')[2]}":
            found.setdefault(name.rpartition(".")[2], []).append(name)
    return {last: names for last, names in found.items() if last != REST}


def programs(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Program, Program]:
    """Return both programs, the old one under the names of the new one where things moved."""
    first, second = Program(old), Program(new)
    moved = moves(first, second)
    return Program(old, moved) if moved else first, second
