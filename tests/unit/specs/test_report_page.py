"""The page of the gate's report: whole, escaped, reachable, and never kinder than the run was."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise, product
from pathlib import Path
from typing import Final, get_args

import msgspec
import pytest
from typing_extensions import override

from grantproof.core.commands.language import SingleCommand
from grantproof.core.invariants import MEANING, STRUCTURE
from specs.gate.detail import Annex, Cell, Detail, Unproved
from specs.gate.files import read_json, write_json
from specs.gate.origin import Origin
from specs.gate.report import Report, Row, Stage
from specs.gate.running import ROOT
from specs.picture import Link, Node, Picture
from specs.report.__main__ import main
from specs.report.documented import Statement, inline, prose, read_document
from specs.report.evidence import evidence
from specs.report.page import DOCUMENT, STYLE, page

DOCUMENTED: Final = DOCUMENT.read_text(encoding="utf-8")
COMMANDS: Final = [command.__name__ for command in get_args(SingleCommand)]
INVARIANTS: Final = [*STRUCTURE, *MEANING]
EVIL: Final = "<script>alert('&')</script>\x1b"
VOID: Final = {"meta", "br"}
DRAWN: Final = Picture(
    (Node("principal:ann", "principal", "ann"), Node("role:head", "role", "head", mark="added")),
    (Link("principal:ann", "role:head", "has", "added"),),
)
CELLS: Final = tuple(
    Cell(command, invariant, "frame", (), f"{command} leaves {invariant}")
    for command, invariant in product(COMMANDS, INVARIANTS)
)
ORIGIN: Final = Origin("2026-01-02T03:04:05+00:00", "c0ffee", True, ("specs",), {"Z3": "5.4"})
READS: Final = ("grantproof.core.policy.evaluate",)
SPECS: Final = Stage(
    "specs",
    (
        Row("P-SOUND", READS[0], "proved", 0.1, (), Detail({"obligations": 9}, reads=READS)),
        Row("ratchet", "theorems: 1, at least 1", "holds"),
    ),
    {"theorems": 1},
    2.0,
    annex=Annex((0, 7, 41), {READS[0]: "ab" * 32}, ("acyclic",), cells=CELLS[:3]),
)
FAULTS: Final = Stage(
    "faults",
    tuple(
        Row("P-SOUND", name, "caught", 0.2, ("given: ann",), Detail({}, labels, picture=DRAWN))
        for name in ("skip: it skips", "any: any for all")
        for labels in [{"class": "unsound evaluation", "gate": "tests"}]
    ),
)
TLA: Final = Stage(
    "tla",
    (
        Row("P-CAS", "MCAdministration", "holds", 1.0, (), Detail({"distinct": 1234, "depth": 7})),
        Row(
            "P-CAS",
            "broken/NoBump",
            "refuted as expected",
            1.0,
            ("a1 commits",),
            Detail({"generated": 9}, {"expected": "refuted", "found": "refuted", "said": "Once"}),
        ),
    ),
)
TESTS: Final = Stage(
    "properties", (Row("P-SOUND, P-COMPLETE", "tests/properties/x.py::y", "passed"),)
)
GOOD: Final = Report(True, 12.3, (SPECS, TESTS, TLA, FAULTS), ORIGIN)


@dataclass
class Element:
    """An element that was met: its tag, its attributes, and the text directly or deeper in it."""

    tag: str
    attributes: dict[str, str | None]
    words: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """All of its text."""
        return "".join(self.words)


class Reader(HTMLParser):
    """Reads a page, and insists that every element ends where it must."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.met: list[Element] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        assert self._open == []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        one = Element(tag, dict(attrs))
        assert len(one.attributes) == len(attrs)
        self.met.append(one)
        if tag not in VOID:
            self._open.append(one)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    @override
    def handle_data(self, data: str) -> None:
        for one in self._open:
            one.words.append(data)

    def all(self, *tags: str) -> list[Element]:
        """The elements of these tags, in their order."""
        return [one for one in self.met if one.tag in tags]

    def by_id(self, name: str) -> Element:
        """The element of an id."""
        (found,) = [one for one in self.met if one.attributes.get("id") == name]
        return found


def shown(report: Report) -> Reader:
    """The page of a report, read."""
    return Reader(page(report, DOCUMENTED))


def changed(report: Report, *stages: Stage, passed: bool | None = None) -> Report:
    """The report with some of its stages replaced, or added."""
    named = {stage.name: stage for stage in (*report.stages, *stages)}
    good = report.passed if passed is None else passed
    return msgspec.structs.replace(report, stages=tuple(named.values()), passed=good)


def broken(stage: Stage, verdict: str) -> Stage:
    """The stage with the verdict on its first row replaced."""
    first = msgspec.structs.replace(stage.rows[0], verdict=verdict, counterexample=("ann may",))
    return msgspec.structs.replace(stage, rows=(first, *stage.rows[1:]))


def test_the_page_of_a_run_that_passed_says_so() -> None:
    """The verdict, where it comes from, and no failures."""
    found = shown(GOOD)
    assert found.all("title")[0].text == "passed: Grantproof verification report"
    top = found.all("header")[0].text
    for told in ("✓ passed", "c0ffee", "with changes that are not committed", "5.4", "12.3 s"):
        assert told in top
    assert all(one.attributes.get("id") != "failures" for one in found.met)


def test_everything_from_data_is_escaped() -> None:
    """No text of a row, a cell, a hash, a picture or a tool becomes markup."""
    picture = Picture(
        (Node("a", EVIL, EVIL, (EVIL,)), Node("b", "role", "b")), (Link("a", "b", EVIL),)
    )
    detail = Detail({"depth": 1}, dict.fromkeys(("class", "gate", "said"), EVIL), (EVIL,), picture)
    rows = tuple(
        Row(name, EVIL, verdict, 0.0, (EVIL,), detail)
        for name, verdict in product((EVIL, "P-SOUND", "ratchet"), (EVIL, "proved"))
    )
    cells = (Cell(EVIL, EVIL, EVIL, (EVIL,), EVIL),)
    annex = Annex((0,), {EVIL: EVIL}, (EVIL,), (Unproved(EVIL, (EVIL,), EVIL),), cells)
    stages = [
        Stage(name, rows, {EVIL: 1}, 0.0, EVIL, annex)
        for name in ("specs", "properties", "tla", "faults", "traces", "crosshair", "smoke", EVIL)
    ]
    origin = Origin(EVIL, EVIL, False, (EVIL, "more"), {EVIL: EVIL})
    text = page(Report(False, 1.0, tuple(stages), origin), DOCUMENTED)
    assert "<script" not in text.lower()
    assert "\x1b" not in text
    assert text.count("&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;?") > 100


@pytest.mark.parametrize("passed", [True, False])
def test_the_page_is_well_formed_and_fetches_nothing(passed: bool) -> None:
    """Elements end; ids are unique; links lead somewhere on the page; nothing is loaded."""
    found = shown(changed(GOOD, *([] if passed else [broken(FAULTS, "survives")])))
    ids = Counter(one.attributes["id"] for one in found.met if "id" in one.attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    links = [str(one.attributes["href"]) for one in found.met if "href" in one.attributes]
    assert len(links) > 50
    assert [link for link in links if link.removeprefix("#") not in ids or link[0] != "#"] == []
    assert found.all("script", "link", "img", "iframe", "object", "image", "use", "form") == []
    values = [str(value) for one in found.met for value in one.attributes.values()]
    assert [value for value in values if re.search(r"https?:|//|url\(", value)] == []
    style = STYLE.read_text(encoding="utf-8")
    assert re.search(r"url\(|@import|<", style) is None
    (policy,) = [one for one in found.all("meta") if "http-equiv" in one.attributes]
    assert policy.attributes["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_headings_tables_and_pictures_can_be_used_without_seeing_them() -> None:
    """Headings go down by one, tables have captions and scopes, pictures a title and words."""
    found = shown(GOOD)
    levels = [int(one.tag[1]) for one in found.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1] == []
    assert [len(found.all(tag)) for tag in ("header", "main", "nav")] == [1, 1, 1]
    assert len(found.all("table")) == len(found.all("caption")) > 3
    assert {one.attributes.get("scope") for one in found.all("th")} == {"col", "row"}
    boxes = [one for one in found.met if "box" in str(one.attributes.get("class")).split()]
    assert all(one.attributes["tabindex"] == "0" and one.attributes["aria-label"] for one in boxes)
    pictures = found.all("svg")
    assert len(pictures) == 2
    for picture in pictures:
        title, words = str(picture.attributes["aria-labelledby"]).split()
        assert found.by_id(title).text.startswith("The organization of ")
        assert "principal ann has role head (added)" in found.by_id(words).text


def test_the_matrix_has_every_cell_with_its_reason() -> None:
    """29 commands by 17 invariants, each a letter, a kind, a title, and a place below."""
    found = shown(changed(GOOD, msgspec.structs.replace(SPECS, annex=Annex(cells=CELLS))))
    cells = [one for one in found.all("td") if "cell" in str(one.attributes.get("class"))]
    assert len(cells) == len(COMMANDS) * len(INVARIANTS) == 31 * 18
    assert {one.text for one in cells} == {"F"}
    titles = {one.attributes.get("title") for one in found.all("a")}
    assert {f"{one.command} x {one.invariant}: frame: {one.reason}" for one in CELLS} <= titles
    assert "AddParent leaves roles-acyclic" in found.by_id("matrix-AddParent").text


def test_a_missing_or_open_cell_is_seen() -> None:
    """A hole, a cell that is not there and a kind that nobody knows are marked as open."""
    kinds = (CELLS[0], *(msgspec.structs.replace(CELLS[1], kind=kind) for kind in ("hole",)))
    odd = msgspec.structs.replace(CELLS[len(INVARIANTS)], kind="magic")
    annex = Annex(cells=(*kinds, odd))
    found = shown(changed(GOOD, msgspec.structs.replace(SPECS, annex=annex)))
    cells = [one for one in found.all("td") if "cell" in str(one.attributes.get("class"))]
    assert [one.text for one in cells] == ["F", "?", "?", "?"]
    assert [one.attributes["class"] for one in cells[1:]] == ["cell hole"] * 3


def test_a_failed_run_shows_its_failures_first() -> None:
    """Before anything else of the report, each with its counterexample and its picture."""
    found = shown(changed(GOOD, broken(FAULTS, "survives"), passed=False))
    sections = [one.attributes["id"] for one in found.all("section")]
    assert sections[:2] == ["failures", "stages"]
    told = found.by_id("failures").text
    assert "faults · P-SOUND · skip: it skips" in told
    assert "✗ survives" in told
    assert "ann may" in told
    assert found.all("title")[0].text.startswith("FAILED")
    assert len(found.all("svg")) == 3


def test_no_word_of_the_file_outweighs_its_rows() -> None:
    """A report that says it passed, with a row that did not, is shown as failed."""
    found = shown(changed(GOOD, broken(SPECS, "undetermined"), passed=True))
    assert found.all("title")[0].text.startswith("FAILED")
    assert "undetermined" in found.by_id("failures").text
    empty = shown(Report(True, 0.0, ()))
    assert empty.all("title")[0].text.startswith("FAILED")
    assert "no stage says why" in empty.by_id("failures").text


def test_a_stage_that_did_not_run_is_no_pass() -> None:
    """It is told in the list of stages, at the top and in its own section; so is one asked for."""
    asked = msgspec.structs.replace(ORIGIN, asked=("specs", "smoke"))
    found = shown(msgspec.structs.replace(GOOD, origin=asked, passed=False))
    assert "traces, crosshair, smoke did not run" in found.all("header")[0].text
    assert "smoke: was to run and did not" in found.by_id("failures").text
    assert "not run" in found.by_id("stages").text
    assert "○ not run it did not run" in found.by_id("traces").text


def test_a_stage_that_broke_off_is_told_with_its_problem() -> None:
    """What it said before stands, and the stage has failed."""
    stopped = Stage("tla", (), {}, 0.1, "`java` not found: install it")
    found = shown(changed(GOOD, stopped, passed=False))
    for place in ("failures", "stages", "models"):
        assert "`java` not found: install it" in found.by_id(place).text
    assert "it reported nothing" in found.by_id("models").text


@pytest.mark.parametrize(
    ("stages", "standing"),
    [
        ((SPECS, TESTS, FAULTS), "holds"),
        ((SPECS, TESTS), "incomplete"),
        ((SPECS, FAULTS), "incomplete"),
        ((TESTS, FAULTS), "incomplete"),
        ((SPECS, TESTS, msgspec.structs.replace(FAULTS, rows=FAULTS.rows[:1])), "incomplete"),
        ((SPECS, TESTS, msgspec.structs.replace(FAULTS, problem="broke off")), "incomplete"),
        ((SPECS, TESTS, broken(FAULTS, "survives")), "fails"),
        ((broken(SPECS, "vacuous"),), "fails"),
        ((), "incomplete"),
    ],
)
def test_a_property_holds_only_if_all_that_is_to_hold_it_does(
    stages: tuple[Stage, ...], standing: str
) -> None:
    """Proofs, property tests, and as many faults as are documented."""
    assert (
        of(
            Statement("P-SOUND", "it holds", "`specs/x.py`", "`tests/properties/x.py`", "2 faults"),
            *stages,
        )
        == standing
    )


def test_what_is_refuted_does_not_hold_a_property_up() -> None:
    """Faults, broken models and reachable states are no evidence that it holds."""
    elsewhere = "`tests/api/x.py`"
    assert of(Statement("P-SOUND", "it holds", "-", elsewhere, "2 faults"), FAULTS) == "elsewhere"
    assert (
        of(Statement("P-SOUND", "it holds", "-", elsewhere, "2 faults, 1 model"), FAULTS)
        == "incomplete"
    )
    assert of(Statement("P-CAS", "it holds", "-", elsewhere, "1 model"), TLA) == "holds"
    sampled = Statement("P-SOUND", "it holds", "-", "`tests/stateful/x.py`", "-")
    assert of(sampled, TESTS) == "holds"
    rows = (TLA.rows[1], msgspec.structs.replace(TLA.rows[1], name="reachable/Retried"))
    refuted = msgspec.structs.replace(TLA, rows=rows)
    assert of(Statement("P-CAS", "it holds", "-", elsewhere, "1 model"), refuted) == "elsewhere"
    assert of(Statement("P-CAS", "it holds", "-", elsewhere, "2 models"), refuted) == "incomplete"


def test_induction_holds_only_with_a_matrix_that_this_run_has_closed() -> None:
    """One cell of a theorem that is not proved, or no matrix at all, leaves it incomplete."""
    row = Row("P-INDUCT", "properties.p_ref.AddParent", "proved")
    closed = Cell("AddParent", "set-refers", "theorem", (row.name,), "it is there after")
    lost = msgspec.structs.replace(closed, theorems=("properties.p_ref.gone",))
    for cells, standing in (
        ((closed,), "holds"),
        ((closed, lost), "incomplete"),
        ((), "incomplete"),
    ):
        stage = Stage("specs", (row,), annex=Annex(cells=cells))
        assert of(Statement("P-INDUCT", "it holds", "`specs/x.py`", "-", "-"), stage) == standing
    stage = Stage("specs", (row,), annex=Annex(cells=(lost,)))
    matrix = shown(Report(True, 1.0, (stage,))).by_id("matrix").text
    assert "hole: 1" in matrix
    assert "not proved in this run: properties.p_ref.gone; it is there after" in matrix


def of(stated: Statement, *stages: Stage) -> str:
    """How a property stands of which this is documented, after these stages."""
    (found,) = evidence([stated], Report(True, 1.0, stages))
    return found.standing


def test_every_property_is_told_in_the_words_of_the_documentation() -> None:
    """Statement, what it is held by, its functions with their hashes, its faults and models."""
    found = shown(GOOD)
    for one in read_document(DOCUMENTED).properties:
        assert one.id in found.by_id(one.id).text
    sound = found.by_id("P-SOUND").text
    for told in (
        "answers Allow only where the rule grants",
        "specs/definitions/policy.py",
        "9, each decided with the seeds 0, 7, 41",
        "core.policy.evaluate",
        "abababababab",
        "2 of 2 faults and broken models refuted",
    ):
        assert told in sound
    assert "ab" * 32 in found.by_id("sources").text
    assert "acyclic" in found.by_id("unused").text
    assert "broken/NoBump" in found.by_id("P-CAS").text
    assert "1,234" in found.by_id("models").text


def test_what_is_trusted_and_not_proved_is_read_from_the_documentation() -> None:
    """Every sentence of those sections is on the page, and nothing is told twice in the source."""
    found = shown(GOOD)
    assert "that nobody who tampers has the key" in found.by_id("trusted").text
    assert "P-INDUCT of a change set" in found.by_id("not-proved").text
    with pytest.raises(ValueError, match="lacks What is trusted"):
        read_document(DOCUMENTED.replace("## What is trusted", "## Trust"))
    with pytest.raises(ValueError, match="lacks its table"):
        read_document(DOCUMENTED.replace("| P-", "| Q-"))


def test_the_little_markdown_of_the_documentation_is_read() -> None:
    """Code, bold, links, lists and paragraphs; everything else is text."""
    assert inline("a `b<` **c** [d](e.md) [f](#g) *h*").text == (
        "a <code>b&lt;</code> <strong>c</strong> d (<code>e.md</code>) f *h*"
    )
    assert prose("a\nb\n\n- c\n  d\n- e\n\nf").text == (
        "<p>a b</p><ul><li>c d</li><li>e</li></ul><p>f</p>"
    )


def test_the_page_does_not_depend_on_the_order_in_which_rows_came() -> None:
    """Faults and models report as they end; the page is the same."""
    turned = [msgspec.structs.replace(one, rows=one.rows[::-1]) for one in (TLA, FAULTS)]
    assert page(changed(GOOD, *turned), DOCUMENTED) == page(GOOD, DOCUMENTED)


def test_a_page_is_made_again_from_the_file(tmp_path: Path) -> None:
    """What was written is read as it was, and the command makes the page of it."""
    path = tmp_path / "report.json"
    write_json(GOOD.stages, path, seconds=12.3, passed=True, origin=ORIGIN)
    assert read_json(path) == GOOD
    assert main([str(path)]) == 0
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page(GOOD, DOCUMENTED)


def test_a_report_from_before_there_were_pages_is_shown(tmp_path: Path) -> None:
    """Without an origin, an annex or a detail; rows without one are written as they were."""
    plain = Stage("smoke", (Row("smoke", "alice reads", "passed"),), {"checks": 1})
    path = tmp_path / "report.json"
    write_json([plain], path, seconds=1.0, passed=True)
    text = path.read_text(encoding="utf-8")
    assert not any(word in text for word in ("origin", "annex", "detail"))
    found = shown(read_json(path))
    assert "not recorded" in found.all("header")[0].text
    assert "This report has no matrix" in found.by_id("matrix").text


@pytest.mark.parametrize("content", ["", "[]", '{"passed": true}', '{"passed": 1, "seconds": 0}'])
def test_what_is_no_report_is_refused_in_one_line(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No page is made of it, and none of what is not there."""
    path = tmp_path / "report.json"
    path.write_text(content, encoding="utf-8")
    assert main([str(path)]) == 2
    assert main([str(tmp_path / "none.json")]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith(f"grantproof: `{path}` is no report of the gate: ")
    assert len(told) == 2
    assert list(tmp_path.glob("*.html")) == []


def test_the_page_is_made_without_a_prover_and_without_the_product() -> None:
    """Importing what makes it loads neither Z3 nor what is proved."""
    loaded = "{'z3', 'grantproof', 'pytest'} & set(sys.modules)"
    code = f"import sys, specs.report.page; print(sorted({loaded}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == b"[]\n"


def test_colours_have_enough_contrast() -> None:
    """WCAG AA, 4.5 to 1, of all text on what it stands on, in both schemes."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE.read_text(encoding="utf-8"), re.DOTALL)
    for scheme in (light, dark):
        colours = dict(re.findall(r"--([\w-]+): (#\w{6});", scheme))
        assert len(colours) == 22
        pairs = [(name, f"{name}-back") for name in colours if f"{name}-back" in colours]
        pairs += product(("text", "quiet", "link", "good", "bad"), ("page", "panel"))
        low = {pair: contrast(*(colours[one] for one in pair)) for pair in pairs}
        assert len(pairs) == 18
        assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}


def contrast(one: str, other: str) -> float:
    """The ratio of the relative luminances of two colours, as WCAG 2 has it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of a colour."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(one * share for one, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_nothing_but_boxes_is_wider_than_a_narrow_screen() -> None:
    """Tables and pictures stand in boxes that scroll by themselves; no width is given in signs."""
    text = page(GOOD, DOCUMENTED)
    assert text.count("<table") == text.count('class="box" role="region"')
    assert text.count("<svg") == text.count('class="box drawing"')
    style = STYLE.read_text(encoding="utf-8")
    assert re.search(r"\.box \{[^}]*overflow-x: auto;[^}]*max-width: 100%;", style)
    assert re.search(r"body \{[^}]*overflow-wrap: anywhere;", style)
