"""What a seeded fault is: an edit of a production module, and the gate that must catch it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

FaultClass = Literal[
    "references",
    "cycles",
    "unsound evaluation",
    "incomplete evaluation",
    "separation of duty",
    "boundaries",
    "concurrency",
    "consume",
    "freshness",
    "certificate",
    "audit",
    "analysis",
    "escalation",
]
CORE: Final = "grantproof.core"


class PatchDoesNotApply(Exception):
    """The text to be replaced is not in the module exactly once: the fault must follow the code."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces `old`, which stands in the module exactly once, by `new`."""

    module: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Proof:
    """The gate `specs`: the theorem is refuted.

    It is named by its function, below the core, or as a property of a command is.
    """

    function: str

    @property
    def theorem(self) -> str:
        """The name of the theorem."""
        stated = self.function.startswith("properties.")
        return self.function if stated else f"{CORE}.{self.function}"


@dataclass(frozen=True, slots=True)
class Model:
    """The gate `tla`: TLC refutes the configuration, in which the model has the same fault."""

    configuration: str


@dataclass(frozen=True, slots=True)
class Executable:
    """The gate `tests`: the executable property itself fails on some small organization."""


Gate = Proof | Model | Executable


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, in a sentence; `property_id` is the one that its gate must find violated.

    `shown_by` is the executable property that a small organization shows false, where it is another
    one: a wrong count breaks P-SOD-SYM in the proof and is seen as a breach of P-SOD-SAFE.
    """

    id: str
    kind: FaultClass
    sentence: str
    property_id: str
    gate: Gate
    edits: tuple[Edit, ...]
    shown_by: str = ""

    @property
    def shown(self) -> str:
        """The executable property of the counterexample."""
        return self.shown_by or self.property_id


def gate_name(gate: Gate) -> str:
    """Return the gate as a table shows it."""
    match gate:
        case Proof(function):
            return f"specs {function}"
        case Model(configuration):
            return f"tla {configuration}"
        case Executable():
            return "tests"


def source_of(module: str) -> str:
    """Return the text of a module without importing it."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise PatchDoesNotApply(f"there is no module `{module}`")
    return Path(spec.origin).read_text(encoding="utf-8")


def patched(edits: tuple[Edit, ...]) -> Mapping[str, str]:
    """Return the text of each edited module. Raises `PatchDoesNotApply`."""
    texts: dict[str, str] = {}
    for edit in edits:
        text = texts.get(edit.module) or source_of(edit.module)
        found = text.count(edit.old)
        if found != 1:
            message = f"`{edit.old.strip()}` stands {found} times in {edit.module}, not once"
            raise PatchDoesNotApply(message)
        texts[edit.module] = text.replace(edit.old, edit.new)
    if not texts:
        raise PatchDoesNotApply("the fault changes nothing")
    return texts
