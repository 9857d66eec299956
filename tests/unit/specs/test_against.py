"""What two revisions have in common: the texts, the proofs and the values that pass between."""

import ast
import subprocess
from pathlib import Path
from types import FunctionType

import pytest

from grantproof.core import constraints, duty, hierarchy, policy
from grantproof.core.attributes import Literal, Operator, Root, attributes
from grantproof.core.attributes import Path as Where
from grantproof.core.constraints import Attribute, TimeWindow
from grantproof.core.identifiers import AttributeName, PrincipalId
from grantproof.core.model import Principal
from specs.against.asking import in_words
from specs.against.comparing import header, is_field, live, members
from specs.against.normal import says
from specs.against.plain import Inexpressible, decode, encode, said
from specs.against.proving import Reader, by_definition, directly, unordered, witnesses
from specs.against.reading import Program, programs
from specs.against.revision import NoRevision, checked_out
from specs.against.run import UNDETERMINED, USAGE, main
from specs.definitions.registry import REGISTRY
from specs.kernel.source import Source
from specs.kernel.values import Facts

CORE = "grantproof.core"
WINDOW = "window.start <= hour < window.end and weekday in window.weekdays"


def digest(text: str) -> str:
    """What the first definition of the text says."""
    return says(ast.parse(text).body[0], {"known"}, ())


def function(named: object) -> FunctionType:
    """A function, as the proofs take it."""
    assert isinstance(named, FunctionType)
    return named


def reader(module: str, old: str, new: str) -> Reader:
    """The production source beside one in which a passage of a module is another."""
    text = Source().text(f"{CORE}.{module}")
    assert text.count(old) == 1
    altered = Source({f"{CORE}.{module}": text.replace(old, new)})
    return Reader(altered, Source(), lambda name: name in REGISTRY, lambda _: True)


def test_names_annotations_and_docstrings_do_not_change_what_is_said() -> None:
    """A local of another name, a comment, an annotation or a docstring are not a change."""
    one = 'def f(a: int) -> int:\n    """Doc."""\n    x: int = a + 1  # why\n    return x\n'
    other = "def f(a):\n    y = a + 1\n    return y\n"
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(a): return a < 1", "def f(a): return a <= 1"),
        ("def f(a): return a", "def f(b): return b"),
        ("def f(a):\n x = 1\n return lambda x: x", "def f(a):\n y = 1\n return lambda x: y"),
        ("def f(a):\n x = 1\n y = 2\n return x", "def f(a):\n x = 1\n y = 2\n return y"),
        ("def f(a):\n x = 1\n return x", "def f(a):\n known = 1\n return known"),
        ("def f(a): return known(a)", "def f(a): return other(a)"),
        ("@cache\ndef f(a): return a", "def f(a): return a"),
    ],
)
def test_what_may_run_otherwise_is_a_change(one: str, other: str) -> None:
    """Operators, parameters, what names refer to, and decorators are told apart."""
    assert digest(one) != digest(other)


def test_a_definition_that_only_moved_is_the_same() -> None:
    """It is found under its new name, and so is what calls it."""
    moved = "def f(x):\n    return x + 1\n"
    caller = "def g(x):\n    return f(x)\n"
    old, new = programs(
        {"c.a": moved + caller, "c.b": ""},
        {"c.a": f"from c.b import f\n{caller}", "c.b": moved},
    )
    assert old.parts["c.b.f"].digest == new.parts["c.b.f"].digest
    assert old.parts["c.a.g"].digest == new.parts["c.a.g"].digest


def test_a_name_that_means_another_thing_is_a_change() -> None:
    """The same text that imports its callee from elsewhere does not say the same."""
    callees = "def f(x):\n    return x\n"
    texts = {"c.a": callees, "c.b": callees}
    caller = "def g(x):\n    return f(x)\n"
    old, new = programs(
        {**texts, "c.c": f"from c.a import f\n{caller}"},
        {**texts, "c.c": f"from c.b import f\n{caller}"},
    )
    assert old.parts["c.c.g"].digest != new.parts["c.c.g"].digest


def test_what_is_read_reaches_constructors_methods_and_operators() -> None:
    """Whatever may run is found: by construction, by a method's name, by a type's operator."""
    text = (
        "class K():\n    x: int\n    def __post_init__(self): check(self)\n"
        "    def m(self): return 1\n    def __contains__(self, one): return LIMIT\n"
        "LIMIT = 3\ndef check(one): pass\ndef unread(): pass\n"
        "def make(x): return K(x)\ndef ask(k: K): return k.m()\n"
    )
    program = Program({"c.a": text})
    made = program.closure({"c.a.make"})
    assert made == {"c.a.make", "c.a.K", "c.a.K.__post_init__", "c.a.check"} | {
        "c.a.K.__contains__",
        "c.a.LIMIT",
    }
    asked = program.closure({"c.a.ask"})
    assert {"c.a.K.m", "c.a.K.__contains__"} <= asked
    assert "c.a.check" not in asked


def test_the_decision_reads_what_decides() -> None:
    """The parts of the production source that a decision surely depends on are all reached."""
    texts = {
        f"{CORE}.{name}": Source().text(f"{CORE}.{name}")
        for name in ("policy", "constraints", "hierarchy", "duty", "matching", "model", "limits")
    }
    reached = Program(texts).closure({f"{CORE}.policy.evaluate"})
    functions = (policy.failing, constraints.holds, hierarchy.closure, duty.exceeds)
    names = {f"{one.__module__}.{one.__qualname__}" for one in functions}
    assert names <= reached
    assert {f"{CORE}.model.Validity.contains", f"{CORE}.model.ADMINISTRATIVE_ACTIONS"} <= reached


@pytest.mark.parametrize(
    "same",
    [
        "weekday in window.weekdays and window.start <= hour < window.end",
        "not (hour < window.start or hour >= window.end or weekday not in window.weekdays)",
        "window.start - 1 < hour and hour < window.end and weekday in window.weekdays",
    ],
)
def test_the_same_in_other_words_is_proved(same: str) -> None:
    """A swap, De Morgan and arithmetic are proved for all arguments."""
    found, _, _ = directly(function(constraints.window_holds), reader("constraints", WINDOW, same))
    assert found


@pytest.mark.parametrize(
    "other",
    [
        "window.start < hour < window.end and weekday in window.weekdays",
        "window.start <= hour < window.end or weekday in window.weekdays",
        "window.start <= hour < window.end and weekday not in window.weekdays",
        "window.start <= hour",
    ],
)
def test_what_differs_is_shown_on_values_that_can_be_made(other: str) -> None:
    """The witness is made of legal values, on which the altered text gives another answer."""
    found, _, asked = directly(
        function(constraints.window_holds), reader("constraints", WINDOW, other)
    )
    assert not found
    assert asked is not None
    shown = next(witnesses(asked))
    window = shown["window"]
    assert isinstance(window, TimeWindow)
    now = constraints.window_holds(window, shown["hour"], shown["weekday"])
    assert eval(other, dict(shown)) != now  # noqa: S307 - the text that this test gives


def test_a_loop_is_proved_by_the_definition_or_not_at_all() -> None:
    """Two statements of a round swapped are proved the same; one left out is not."""
    entry = REGISTRY[f"{CORE}.hierarchy.closure"]
    both = "                seen.add(parent)\n                work.add(parent)\n"
    swapped = "                work.add(parent)\n                seen.add(parent)\n"
    assert by_definition(entry, reader("hierarchy", both, swapped)) == (True, "proved: ")
    less = reader("hierarchy", both, "                seen.add(parent)\n")
    assert by_definition(entry, less)[0] is False
    assert directly(function(hierarchy.closure), less)[0] is False


def test_nothing_follows_from_a_world_that_cannot_be() -> None:
    """Left without any object, the readings agree about nothing: that is no proof."""
    some = reader("constraints", WINDOW, "window.start < hour")
    nothing = Reader(some.old, some.new, some.equal, some.exact, gone=(TimeWindow,))
    found, why, _ = directly(function(constraints.window_holds), nothing)
    assert (found, why) == (False, "no world found that it speaks of")


def test_order_is_told_apart() -> None:
    """A set has no order, a tuple does, and so has what holds one."""
    assert unordered(frozenset[str])
    assert unordered(bool)
    assert unordered(TimeWindow)
    assert not unordered(tuple[str, ...])
    assert not unordered(policy.Decision)


def test_values_pass_between_revisions() -> None:
    """What is encoded and decoded is equal, booleans included."""
    constraint = Attribute(
        Where(Root.CONTEXT, AttributeName("x")), Operator.IN, Literal(frozenset({"a", "b"}))
    )
    principal = Principal(PrincipalId("ann"), attributes=attributes({"x": True, "y": 1}))
    for value in (constraint, principal, (None, True, 1, "x"), frozenset({PrincipalId("ann")})):
        assert decode(encode(value)) == value
    assert type(decode(encode(PrincipalId("ann")))) is PrincipalId


def test_a_value_that_a_revision_does_not_have_is_inexpressible() -> None:
    """An unknown class, field or member of an enumeration is not taken for another."""
    for told in (
        {"is": f"{CORE}.constraints.Moon", "with": {}},
        {"is": f"{CORE}.constraints.MaxUsage", "with": {"limit": 1, "moon": 2}},
        {"is": f"{CORE}.attributes.Operator", "name": "MOON"},
    ):
        with pytest.raises(Inexpressible):
            decode(told)
    with pytest.raises(Inexpressible):
        encode(object())
    assert Facts().owed == []


def test_answers_are_told_in_words() -> None:
    """A denial says its reason, an exception its name, an allow its claim."""
    deny = encode(policy.Deny(policy.NoRole()))
    assert in_words(deny, None) == "Deny: NoRole()"
    assert in_words({"raises": "KeyError"}, deny) == "raises KeyError"
    assert said(encode(frozenset({1}))) == "(1)"


def test_a_new_alternative_is_no_other_union() -> None:
    """Of a union the members are known, of anything else nothing; a field is one that is given."""
    program = Program({"c.a": "class A():\n x: int\nclass B: pass\nU = A | B\nN = A\nM = 3 | 4\n"})
    parts = program.parts
    assert members(program, parts["c.a.U"]) == {"c.a.A", "c.a.B"}
    assert members(program, parts["c.a.N"]) == members(program, parts["c.a.M"]) == frozenset()
    assert is_field("x", header(parts["c.a.A"])["x"])
    assert not is_field("y", "int = field(init=False)")
    assert not is_field("@", "dataclass")
    assert (
        live(f"{CORE}.model.Validity.contains") is vars(live(f"{CORE}.model.Validity"))["contains"]
    )


def test_what_cannot_be_compared_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No checkout, an unknown revision, one that is an option, and one without the core: 2."""
    assert main(["HEAD", "--repository", str(tmp_path)]) == USAGE
    assert "is not a git checkout" in capsys.readouterr().err
    commit(tmp_path)
    for unknown in ("no-such-revision", "v1.0^{blob}"):
        assert main([unknown, "--repository", str(tmp_path)]) == USAGE
        assert capsys.readouterr().err == f"against: unknown revision `{unknown}`\n"
    with pytest.raises(NoRevision, match="unknown revision"):
        checked_out("--output=x", tmp_path, tmp_path / "into")
    assert main(["HEAD", "--repository", str(tmp_path)]) == USAGE
    assert "is older than the core" in capsys.readouterr().err


def test_breaking_off_is_no_difference(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error inside is undetermined: the exit code of a found difference is not taken."""

    def broken(*_arguments: object, **_options: object) -> None:
        message = "out of order"
        raise RuntimeError(message)

    monkeypatch.setattr("specs.against.run.compare", broken)
    assert main(["HEAD"]) == UNDETERMINED
    assert "out of order" in capsys.readouterr().err


def commit(folder: Path) -> None:
    """Make a repository of one commit, which holds one file."""
    (folder / "file").write_text("nothing", encoding="utf-8")
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "--quiet"), ("add", "."), (*identity, "commit", "-qm", "one")):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
