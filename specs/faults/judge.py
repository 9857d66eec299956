"""A fault judged in two halves: clean, its gate holds; tampered, its gate fails, and is shown to.

Whatever else happens is a problem, and a problem fails the gate: a patch that does not apply, a
clean half that fails, a fault that its own gate does not catch, a counterexample that holds.
"""

import importlib
import pickle
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from specs.faults import proving
from specs.faults.fault import Executable, Fault, Model, PatchDoesNotApply, Proof, patched
from specs.faults.namespace import tampered
from specs.picture import Picture
from specs.tlc.check import as_expected, run_all

SMALL: Final = "specs.faults.small"
TABLES: Final = (
    *("decisions", "changes", "footprints", "evidence", "races", "consumption", "chains"),
    *("following", "analyses", "gifts"),
)
CLEAN_MODEL: Final = "MCRBACPolicyChange"
CLEAN_MODELS: Final[Mapping[str, str]] = {
    "P-CONSUME": "MCConsume",
    "P-FRESH": "MCFreshness",
}
"""The model that holds without the fault, by property where it is another one."""


Shown = tuple[tuple[str, ...], Picture]
"""A counterexample in words, and as a picture."""


class Surviving(Exception):
    """One of the halves did not behave as it must: the message says which and how."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a fault. `problem` is empty when it was caught; `story` shows what it does.

    `picture` draws the organization of the story, and what happens to it.
    """

    fault: str
    problem: str
    story: tuple[str, ...] = ()
    seconds: float = 0.0
    picture: Picture | None = None

    @property
    def caught(self) -> bool:
        """Whether both halves behaved as they must."""
        return self.problem == ""


def judge(fault: Fault) -> Judgement:
    """Return the judgement on a fault; never raises."""
    started = time.perf_counter()
    try:
        story, picture = _both_halves(fault)
        judged = Judgement(fault.id, "", story, picture=picture)
    except (PatchDoesNotApply, Surviving) as problem:
        judged = Judgement(fault.id, str(problem))
    except Exception:  # noqa: BLE001 - an error in any half is a fault that nothing has caught
        last = traceback.format_exc().strip().splitlines()[-1]
        judged = Judgement(fault.id, f"the judgement broke off: {last}")
    return replace(judged, seconds=time.perf_counter() - started)


def _both_halves(fault: Fault) -> Shown:
    texts = patched(fault.edits)
    _gate(fault, texts)
    return _shown(fault, texts)


def _gate(fault: Fault, texts: Mapping[str, str]) -> None:
    """Raise `Surviving` unless the expected gate holds without the patch and fails with it."""
    match fault.gate:
        case Proof():
            _proved(fault.gate.theorem, fault.property_id, texts)
        case Model(configuration):
            _modelled(configuration, fault.property_id)
        case Executable():
            # The executable property is what shows every fault: see `_shown`.
            _require(
                fault.shown == fault.property_id, "is expected to be caught by another property"
            )


def _proved(theorem: str, property_id: str, texts: Mapping[str, str]) -> None:
    _require(
        proving.property_of(theorem) == property_id, f"no theorem {theorem} under {property_id}"
    )
    verdict = proving.clean(theorem)
    _require(verdict == "proved", f"without the patch {theorem} is {verdict}, not proved")
    verdict = proving.tampered(theorem, texts)
    _require(verdict == "refuted", f"with the patch {theorem} is {verdict}, not refuted")


def _modelled(configuration: str, property_id: str) -> None:
    clean = CLEAN_MODELS.get(property_id, CLEAN_MODEL)
    _require(_model_behaves(clean, "holds", property_id), f"{clean} does not hold")
    _require(
        _model_behaves(configuration, "refuted", property_id),
        f"TLC does not refute {configuration} as {property_id}",
    )


@cache
def _model_behaves(configuration: str, expected: str, property_id: str) -> bool:
    results = run_all((configuration,), jobs=1)
    return len(results) == 1 and all(
        as_expected(result) and result.expected == expected and property_id in result.property
        for result in results
    )


def _shown(fault: Fault, texts: Mapping[str, str]) -> Shown:
    """Return the counterexample told and drawn: false in the patched code and true in the clean."""
    _require(_holds(fault.shown), f"without the patch {fault.shown} does not hold")
    with tampered(texts):
        stated = _property(fault.shown)
        tools = importlib.import_module(f"{SMALL}.property")
        found = tools.search(stated)
        _require(found is not None, f"{fault.shown} holds with the patch too: it survives")
        story: tuple[str, ...] = tools.tell(stated, found)
        carried = pickle.dumps(found)
    _require(_holds_of(fault.shown, carried), "its counterexample is one without the patch too")
    return story, _drawn(carried)


def _drawn(carried: bytes) -> Picture:
    """Return the picture of a counterexample that was found elsewhere, made by the clean code."""
    again = pickle.loads(carried)  # noqa: S301 - made a moment ago, in this process
    drawn: Picture = importlib.import_module(f"{SMALL}.scene").scene(again.facts, again.act)
    return drawn


@cache
def _holds(property_id: str) -> bool:
    return importlib.import_module(f"{SMALL}.property").search(_property(property_id)) is None


def _holds_of(property_id: str, carried: bytes) -> bool:
    """Return whether the property holds of a counterexample that was found elsewhere."""
    tools = importlib.import_module(f"{SMALL}.property")
    again = pickle.loads(carried)  # noqa: S301 - made a moment ago, in this process
    stated = _property(property_id)
    return stated.objection(tools.Small(again.facts), again.act) is None


def _property(property_id: str) -> Any:
    for table in TABLES:
        known = importlib.import_module(f"{SMALL}.{table}").PROPERTIES
        if property_id in known:
            return known[property_id]
    raise Surviving(f"there is no executable property {property_id}")


def _require(behaves: bool, problem: str) -> None:
    if not behaves:
        raise Surviving(problem)
