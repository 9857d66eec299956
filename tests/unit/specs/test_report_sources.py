"""What the report says of where it comes from: the hashes of sources, the revision, the figures."""

import hashlib
import inspect
import subprocess
from pathlib import Path

import pytest

from grantproof.core import hierarchy, model, policy
from specs.faults.catalogue import FAULTS
from specs.faults.fault import gate_name
from specs.faults.judge import Judgement
from specs.gate.hashes import hashes, parts
from specs.gate.origin import NOT_FOUND, origin
from specs.gate.report import End, concluded, read, written
from specs.gate.stages import faults, specs, tla
from specs.kernel.proof import Result
from specs.kernel.sorts import Unsupported
from specs.kernel.source import Source
from specs.matrix import Cell
from specs.picture import Node, Picture
from specs.run import verdict
from specs.tlc.check import Result as Checked
from specs.tlc.output import read_output

CONTAINS = "grantproof.core.model.Validity.contains"
CLOSURE = "grantproof.core.hierarchy.closure"


@pytest.mark.parametrize("one", [policy.evaluate, hierarchy.closure, model.Validity.contains])
def test_the_hash_is_of_the_text_of_the_function(one: object) -> None:
    """As the standard library finds that text; of functions and of methods."""
    name = f"{one.__module__}.{getattr(one, '__qualname__', '')}"
    text = inspect.getsource(one)  # type: ignore[arg-type]  # a function
    assert hashes([name]) == {name: hashlib.sha256(text.encode()).hexdigest()}


def test_a_decorator_belongs_to_what_is_hashed() -> None:
    """Another decorator is another function; what stands beside it is not."""
    module = "grantproof.core.hierarchy"
    texts = ("@a\ndef closure():\n    pass\n", "@b\ndef closure():\n    pass\n")
    one, other = (hashes([CLOSURE], Source({module: text})) for text in texts)
    assert one != other
    assert hashes([CLOSURE], Source({module: f"# a comment\n\n{texts[0]}x = 1\n"})) == one


def test_a_function_that_is_not_there_has_no_hash() -> None:
    """It is an error, never a hash of something else."""
    assert parts(CONTAINS) == ("grantproof.core.model", "Validity.contains")
    with pytest.raises(Unsupported):
        hashes(["grantproof.core.model.Validity.gone"])


def test_a_theorem_says_what_it_reads() -> None:
    """The functions whose source its statement ran; of what is not to be read, none."""
    found: Result = verdict(CONTAINS, seeds=(0,))
    assert (found.verdict, found.reads) == ("proved", (CONTAINS,))


def test_the_revision_is_told_and_that_it_was_changed(tmp_path: Path) -> None:
    """Of a checkout; of another folder neither is known."""
    assert origin(tmp_path, (), {}).revision is None
    assert origin(tmp_path, (), {}).changed is None
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    for arguments in (("init", "-q"), (*who, "commit", "-q", "--allow-empty", "-m", "first")):
        subprocess.run(("git", "-C", tmp_path, *arguments), check=True)
    clean = origin(tmp_path, ("specs",), {})
    assert len(str(clean.revision)) == 40
    assert (clean.changed, clean.asked) == (False, ("specs",))
    (tmp_path / "new").touch()
    assert origin(tmp_path, (), {}).changed is True


def test_the_versions_of_the_tools_are_told(tmp_path: Path) -> None:
    """By what is installed; a jar that is none is not found, and no error."""
    versions = origin(tmp_path, (), {}).versions
    assert NOT_FOUND not in versions.values()
    assert versions["TLA+ tools (TLC)"].endswith("pinned jar)")
    (tmp_path / "tla2tools.jar").write_text("no jar", encoding="utf-8")
    named = {"TLA2TOOLS_JAR": str(tmp_path / "tla2tools.jar")}
    assert origin(tmp_path, (), named).versions["TLA+ tools (TLC)"] == NOT_FOUND


def test_the_figures_of_a_model_reach_its_row() -> None:
    """States as often as they are met, each once, and how many in a row: what TLC says last."""
    text = (
        "Progress(3) at now: 1 states generated, 1 distinct states found, 0 states left on queue.\n"
        "6,729 states generated, 3,888 distinct states found, 1284 states left on queue.\n"
        "The depth of the complete state graph search is 5.\n"
    )
    output = read_output(text)
    assert (output.generated, output.states, output.depth) == (6729, 3888, 5)
    assert (read_output("").generated, read_output("").depth) == (None, None)
    result = Checked("broken/X", "P-CAS", "refuted", "refuted", 1.0, "Once", 3888, ("a1",), 6729, 5)
    row = tla.row(result)
    assert (row.verdict, row.counterexample) == ("refuted as expected", ("a1",))
    assert row.more.figures == {"generated": 6729, "distinct": 3888, "depth": 5}
    assert row.more.labels == {"expected": "refuted", "found": "refuted", "said": "Once"}


def test_the_annex_of_the_proofs_reaches_the_report() -> None:
    """Seeds, hashes of what is read, what no proof uses, what is tested only, and every cell."""
    used = Result("P-SOUND", "a", "proved", used=frozenset({"x"}), reads=(CLOSURE,))
    other = Result("P-SOUND", "b", "proved", unused=("x", "y"), reads=(CONTAINS,))
    annex = specs.annex([used, other], [Cell("AddParent", "set-refers", "frame", (), "why")])
    assert annex.seeds == (0, 7, 41)
    assert annex.sources == hashes([CLOSURE, CONTAINS])
    assert annex.unused == ("y",)
    assert "grantproof.core.index.Index.ask" in {one.function for one in annex.tested}
    assert [(one.command, one.reason) for one in annex.cells] == [("AddParent", "why")]
    said = [read(written(message)) for message in (annex, End({}))]
    assert concluded("specs", [one for one in said if one], seconds=1.0).more == annex


def test_the_picture_of_a_fault_reaches_its_row() -> None:
    """With its class and its gate, whether it was caught or not."""
    fault, picture = FAULTS[0], Picture((Node("role:a", "role", "a"),))
    for problem in ("", "it survives"):
        row = faults.row(Judgement(fault.id, problem, ("given",), 1.0, picture))
        assert row.passed is (problem == "")
        assert row.more.picture == picture
        assert row.more.labels == {"class": fault.kind, "gate": gate_name(fault.gate)}
