"""The translator is held to the interpreter: what it says of a function is what running it gives.

What it reads, it is seen to read rightly: each construct by a sample, and the production functions
at their boundaries. `tests/differential/test_translation.py` does so on generated inputs.
"""

import ast
import inspect
from pathlib import Path
from types import FunctionType
from typing import Any, Final

import pytest

import specs.kernel
import specs.theorems
from specs.definitions.registry import REGISTRY
from specs.kernel import comparisons, membership
from specs.kernel.interpreter import Interpreter
from specs.kernel.sorts import Unsupported
from specs.kernel.values import FALSE, negated
from tests.unit.specs import samples, samples_of_collections
from tests.unit.specs.concrete import Translation, agrees, once, others, translated
from tests.unit.specs.production import MISUSED, PRODUCTION
from tests.unit.specs.samples import OWING, SAMPLES
from tests.unit.specs.samples_of_collections import EMPTY, FEW, INVARIANTS, A

KERNEL: Final = sorted(Path(inspect.getfile(specs.kernel)).parent.glob("*.py"))
SYNTAX: Final = (
    ast.expr,
    ast.stmt,
    ast.pattern,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
)
FINDS: Final = frozenset({"FunctionDef", "ClassDef"})
"""What the kernel only looks for functions in."""


def named(function: Any) -> str:
    """What a test calls a function."""
    return str(function.__qualname__)


def sample(function: Any) -> Translation:
    """The translation of a sample, with the invariants of its loops."""
    return (
        translated(function, invariants=INVARIANTS) if has_invariant(function) else once(function)
    )


def has_invariant(function: Any) -> bool:
    """Whether the function has a loop with an invariant."""
    return (f"{function.__module__}.{function.__qualname__}", 0) in INVARIANTS


# ---------------------------------------------------------------- what is read is read rightly


@pytest.mark.parametrize("function", SAMPLES, ids=named)
def test_each_construct_is_read_as_it_runs(function: FunctionType) -> None:
    """A sample's translation gives what running it gives, and owes what running it raises."""
    translation = sample(function)
    assert others(translation, SAMPLES[function], "agrees") == []
    assert others(translation, OWING[function], "owes") == []


@pytest.mark.parametrize("function", PRODUCTION, ids=named)
def test_production_functions_are_read_as_they_run(function: FunctionType) -> None:
    """The same of the functions that the proofs are about, at their boundaries."""
    translation = once(function)
    assert others(translation, PRODUCTION[function], "agrees") == []
    assert others(translation, MISUSED.get(function, ()), "owes") == []


def test_every_defined_function_that_stands_alone_is_held_to_running() -> None:
    """A function that is proved about, and read without invariants or symbols, has inputs here."""
    assert specs.theorems.MEANINGS
    alone = {name for name, entry in REGISTRY.items() if stands_alone(entry.function)}
    here = {f"{one.__module__}.{one.__qualname__}" for one in map(as_function, PRODUCTION)}
    assert alone - here == set()
    assert "grantproof.core.constraints.window_holds" in alone


def as_function(value: Any) -> FunctionType:
    """A key of the table as what it is."""
    assert isinstance(value, FunctionType)
    return value


def stands_alone(function: FunctionType) -> bool:
    """Whether the function is read with all that it calls, without invariants and symbols."""
    try:
        once(function)
    except Unsupported:
        return False
    return True


# ---------------------------------------------------------------- whatever is read is tried


def accepted_syntax() -> set[str]:
    """The classes of syntax nodes that the kernel's methods are named after, or its text names."""
    methods = {
        name.partition("_")[2] for name in dir(Interpreter) if name[:5] in {"read_", "step_"}
    }
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in KERNEL]
    mentioned = {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "ast"
    }
    kinds = {name: getattr(ast, name, None) for name in methods | mentioned}
    concrete = {n for n, one in kinds.items() if isinstance(one, type) and issubclass(one, SYNTAX)}
    return concrete - FINDS - {kind.__name__ for kind in SYNTAX}


def accepted_names() -> set[str]:
    """The builtins and methods that the kernel knows by name."""
    builtins = {name.partition("_")[2] for name in dir(Interpreter) if name.startswith("call_")}
    patterns = (
        node.value.value
        for path in KERNEL
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.MatchValue) and isinstance(node.value, ast.Constant)
    )
    return builtins | {text for text in patterns if isinstance(text, str)}


def tried() -> set[str]:
    """What the samples and the production functions are written in, and what they call by name."""
    translations = [*map(sample, SAMPLES), *map(once, PRODUCTION)]
    nodes = [node for translation in translations for node in translation.nodes]
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    plain = {name.id for name in called if isinstance(name, ast.Name)}
    methods = {name.attr for name in called if isinstance(name, ast.Attribute)}
    return {type(node).__name__ for node in nodes} | plain | methods


def test_whatever_the_translator_accepts_is_tried() -> None:
    """A construct or a builtin that the kernel learns has to be held to running too."""
    accepted = accepted_syntax() | accepted_names()
    assert accepted - tried() == set()
    known = {"BoolOp", "MatchOr", "NotIn", "Slice", "USub", "Yield", "all", "get", "assert_never"}
    assert known <= accepted


def test_whatever_the_translator_accepts_is_documented() -> None:
    """The kernel's table of what it reads names each construct and each builtin."""
    documented = set((specs.kernel.__doc__ or "").replace("`", " ").replace(",", " ").split())
    assert (accepted_syntax() | accepted_names()) - documented == set()


# ---------------------------------------------------------------- the comparison can fail


def test_a_wrong_boundary_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """`<` read as `<=` differs at the boundary, and only there."""
    monkeypatch.setitem(comparisons.ORDERS, ast.Lt, comparisons.ORDERS[ast.LtE])
    wrong = translated(samples.less)
    assert (wrong.verdict(1, 2), wrong.verdict(2, 2)) == ("agrees", "differs")


def test_a_wrong_quantifier_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """`all` read as `any` differs where some are and some are not, and of nothing."""
    monkeypatch.setattr(Interpreter, "call_all", Interpreter.call_any)
    wrong = translated(samples_of_collections.all_known)
    verdicts = [wrong.verdict(some) for some in (A, EMPTY, frozenset({"a", "c"}))]
    assert verdicts == ["agrees", "differs", "differs"]


def test_a_wrong_connective_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """`and` read as `or`, and the other way round, differs."""
    right = Interpreter.read_BoolOp

    def swapped(self: Interpreter, node: ast.BoolOp, frame: Any) -> Any:
        op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return right(self, ast.BoolOp(op, node.values), frame)

    monkeypatch.setattr(Interpreter, "read_BoolOp", swapped)
    assert translated(samples.connectives).verdict(True, False) == "differs"


def test_a_wrong_membership_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """`in` read as `not in` differs."""
    right = Interpreter.within
    monkeypatch.setattr(Interpreter, "within", lambda *some: negated(right(*some)))
    assert translated(samples_of_collections.member).verdict(A, "a") == "differs"


def test_nothing_mistaken_for_something_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is never equal to nothing, `None` as a pattern differs."""
    monkeypatch.setattr(membership, "same", lambda *_some: FALSE)
    assert translated(samples.nothing).verdict(None) == "differs"


def test_a_debt_forgotten_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lookup that misses raises: a translation that owes nothing differs from that."""
    monkeypatch.setattr(Interpreter, "owe", lambda *_some: None)
    missing = (samples_of_collections.MAPS[0], "a")
    assert translated(samples_of_collections.looked_up).verdict(*missing) == "differs"


def test_a_debt_not_met_is_no_agreement() -> None:
    """A lookup agrees where the key is there, and nowhere else."""
    mapping = samples_of_collections.MAPS[1]
    assert agrees(samples_of_collections.looked_up, mapping, "a")
    assert not agrees(samples_of_collections.looked_up, mapping, "b")


def test_a_result_left_open_is_no_agreement() -> None:
    """One of several, of which is not said which, agrees with none of them."""
    least, rest = once(samples_of_collections.least), once(samples_of_collections.rest)
    assert (least.verdict(A), least.verdict(FEW)) == ("agrees", "undetermined")
    assert rest.verdict(("a", "c")) == "undetermined"
    assert not agrees(samples_of_collections.least, FEW)


def test_arguments_that_cannot_be_are_no_agreement() -> None:
    """What contradicts the arguments' types would agree with anything: it is told apart."""
    assert once(samples.less).verdict("a", 2) == "impossible"
    assert once(samples.radius_of).verdict(3) == "impossible"
