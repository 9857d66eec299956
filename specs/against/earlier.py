"""The source of the old revision as the interpreter reads it, in terms of the classes of the new.

A class or function that both have is the new one's, so that both revisions speak of one world; its
text is the old one's. A constant has the old value. What only the old revision has is its own.
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from types import ModuleType

from typing_extensions import override

from specs.against.plain import CORE, Inexpressible, decode, encode
from specs.against.reading import Program
from specs.kernel.sorts import Unsupported
from specs.kernel.source import Source


@dataclass
class Earlier(Source):
    """The old text; `loaded` are the old modules, `names` gives what moved its new name."""

    loaded: Mapping[str, ModuleType] = field(default_factory=dict)
    program: Program | None = None
    _named: dict[str, ModuleType] = field(default_factory=dict)

    @override
    def module(self, name: str) -> ModuleType:
        """Return what the names of an old module mean, as far as it can be said."""
        if name not in self.loaded:
            message = f"the old revision has no module {name}"
            raise Unsupported(message)
        if name not in self._named:
            self._named[name] = self._translated(name)
        return self._named[name]

    @override
    def text(self, name: str) -> str:
        """Return the old text; there is no other."""
        if name not in self.patches:
            message = f"the old revision has no module {name}"
            raise Unsupported(message)
        return self.patches[name]

    def _translated(self, name: str) -> ModuleType:
        found = ModuleType(name)
        for key, value in vars(self.loaded[name]).items():
            if key.startswith("__"):
                continue
            try:
                setattr(found, key, self.twin(value))
            except (Inexpressible, ValueError, TypeError):
                # Without a counterpart the name means nothing: to read it is unsupported.
                continue
        return found

    def twin(self, value: object) -> object:
        """Return what the value is in the new revision. Raises `Inexpressible`."""
        if isinstance(value, type | types.FunctionType):
            return self._twin_of(value)
        origin = typing.get_origin(value)
        if isinstance(value, types.UnionType) or origin in (typing.Union, types.UnionType):
            return reduce(or_, (self.twin(one) for one in typing.get_args(value)))
        if type(value).__module__.startswith(CORE) or isinstance(
            value, bool | int | str | frozenset | tuple
        ):
            return decode(encode(value))
        return value

    def _twin_of(self, value: type | types.FunctionType) -> object:
        dotted = f"{value.__module__}.{value.__qualname__}"
        if not dotted.startswith(CORE):
            return value
        new = dotted if self.program is None else self.program.renamed(dotted)
        module, _, last = new.rpartition(".")
        try:
            return getattr(super().module(module), last, value)
        except ImportError:
            return value
