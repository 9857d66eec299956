"""The seeded faults, each of which its own gate must catch."""

from collections import Counter
from collections.abc import Callable

from specs.faults.catalogue import FAULTS
from specs.faults.fault import gate_name
from specs.faults.judge import Judgement
from specs.faults.run import run_all
from specs.gate.detail import Detail
from specs.gate.report import Row

BY_ID = {fault.id: fault for fault in FAULTS}


def run(emit: Callable[[Row], None], jobs: int) -> dict[str, int]:
    """Judge every fault in two halves."""
    judgements = run_all(FAULTS, jobs=jobs, on_judgement=lambda one: emit(row(one)))
    kinds = Counter(BY_ID[one.fault].kind for one in judgements if one.caught)
    return {
        "faults": sum(kinds.values()),
        "classes": len(kinds),
        "fewest_of_a_class": min(kinds.values(), default=0),
    }


def row(judgement: Judgement) -> Row:
    """Return a judgement as a row, with the counterexample that it found or the problem."""
    fault = BY_ID[judgement.fault]
    verdict = "caught" if judgement.caught else "survives"
    told = judgement.story if judgement.caught else (judgement.problem,)
    labels = {"class": fault.kind, "gate": gate_name(fault.gate)}
    more = Detail(labels=labels, picture=judgement.picture)
    name = f"{fault.id}: {fault.sentence}"
    return Row(fault.property_id, name, verdict, judgement.seconds, told, more)
