"""Nothing stands in the documentation that is not executed: each block by a test that is named."""

import re
from collections import Counter
from pathlib import Path
from typing import Final

import pytest
from ruamel.yaml import YAML

from tests.pages import FENCE, Block, agrees, blocks, pages, steps, written_by_people
from tests.repository.checkout import ROOT, listed_files, read
from tests.repository.documentation import CARRIED_OUT, ELSEWHERE, LEFT_OUT, left_out
from tests.repository.test_threat_model import is_test

COMMANDS: Final = frozenset({"console", "sh"})
DATA: Final = frozenset({"csv", "ini", "json", "yaml"})
LOOKED_AT: Final = frozenset({"", "http", "promql", "text"})
"""Drawings, headers and messages; and queries, which `unit/test_runbook.py` reads."""

TYPED: Final = re.compile(r"^(?:\$ |grantproof |make |curl |pip |python3? |export )", re.MULTILINE)
INDENTED: Final = re.compile(r"(?:^|\n)\n {4,}(\w[^\n]*)")


def unexecuted(path: Path, page: str) -> list[str]:
    """The blocks of a page that nothing executes, each by its line and why that is."""
    carried_out = any(path == one.path for one in CARRIED_OUT)
    counted = Counter(block.language for block in blocks(page))
    elsewhere = {one.language for one in ELSEWHERE if one.path == path}
    wrong = [
        f"{path}: {counted[one.language]} blocks of {one.language}: {one.test} runs {one.blocks}"
        for one in ELSEWHERE
        if one.path == path and counted[one.language] != one.blocks
    ]
    wrong += [
        f"{path}: let `{line}` stand between fences"
        for line in INDENTED.findall(FENCE.sub("", page))
        if TYPED.search(line)
    ]
    for block in blocks(page):
        if block.language not in elsewhere:
            fault = fault_of(block, carried_out=carried_out)
            wrong += [f"{path}:{block.line}: {fault}"] if fault else []
    return wrong


def fault_of(block: Block, *, carried_out: bool) -> str:
    """What is wrong with a block that no test has to itself; empty if nothing is."""
    if block.language in COMMANDS:
        left = [step.command for step in steps(block.text) if not left_out(step.command)]
        return f"nobody runs `{left[0]}`" if left and not carried_out else ""
    if block.language in LOOKED_AT:
        return "it has commands: let it be `console`" if TYPED.search(block.text) else ""
    if block.language == "python":
        return "" if is_quoted(block.text) else "neither run nor quoted from the source"
    if block.language not in DATA:
        return f"`{block.language}` is nothing that anybody runs or reads"
    if block.name and not carried_out:
        return f"nobody writes `{block.name}`"
    return "" if block.name or is_read(block) else "it cannot be read"


def is_read(block: Block) -> bool:
    """Whether an example that is no file is at least well-formed."""
    return block.language in {"json", "yaml"} and YAML(typ="safe").load(block.text) is not None


def is_quoted(text: str) -> bool:
    """Whether the lines stand in one source file, in this order; `...` stands for others."""
    wanted = [line.strip() for line in text.splitlines() if line.strip() not in {"", "..."}]
    return any(in_order(wanted, read(path)) for path in sources())


def sources() -> list[Path]:
    """The files that pages quote."""
    folders = ("src", "specs")
    return [p for p in listed_files() if p.suffix == ".py" and p.parts[0] in folders]


def in_order(wanted: list[str], source: str) -> bool:
    """Whether each of the lines comes after the one before it."""
    lines = iter([line.strip() for line in source.splitlines()])
    return wanted[0] in source and all(line in lines for line in wanted)


@pytest.mark.parametrize("path", written_by_people(), ids=str)
def test_every_block_is_executed(path: Path) -> None:
    """By the runner of pages, by a test of its own, or by the reading of what it quotes."""
    assert unexecuted(path, pages()[path]) == []


def test_what_is_left_out_is_little_and_has_a_reason() -> None:
    """The table can only shrink: an entry stands for exactly so many commands."""
    elsewhere = {one.path for one in ELSEWHERE if one.language == "console"}
    commands = [
        f"{step.command}\n"
        for path in written_by_people().keys() - elsewhere
        for block in blocks(pages()[path])
        if block.language == "console"
        for step in steps(block.text)
    ]
    found = {one.begins: sum(c.startswith(one.begins) for c in commands) for one in LEFT_OUT}
    assert found == {one.begins: one.commands for one in LEFT_OUT}
    assert all(" " in one.reason for one in LEFT_OUT)


def test_every_row_of_the_tables_is_needed() -> None:
    """A page that is gone, one that has no command, a test that is gone."""
    told = pages()
    for one in CARRIED_OUT:
        assert any(block.language in COMMANDS for block in blocks(told[one.path])), one.path
    assert [one.test for one in ELSEWHERE if not is_test(one.test)] == []
    assert {one.path for one in ELSEWHERE} <= set(told)


def test_every_target_of_make_is_there() -> None:
    """Wherever a page says `make ...`, also within a sentence."""
    targets = set(re.findall(r"^([a-z-]+):.*## ", read(Path("Makefile")), re.MULTILINE))
    told = {
        (str(path), name)
        for path, page in pages().items()
        for name in re.findall(r"(?:`|\$ )make ([a-z-]+)", page)
    }
    assert {one for one in told if one[1] not in targets} == set()
    assert len(told) > 20


def anchors(page: str) -> set[str]:
    """The addresses of the headings of a page."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"```.*?```", "", page, flags=re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(path: Path, page: str) -> list[str]:
    """The links of a page that lead to no file of the repository, or to no heading of a page."""
    dead = []
    for target in re.findall(r"\]\((?!\w+:)([^)\s]+)\)", page):
        file, _, anchor = target.partition("#")
        place = ROOT / path.parent / file
        if not place.exists() or (anchor and anchor not in anchors(read(place) if file else page)):
            dead.append(target)
    return dead


@pytest.mark.parametrize("path", pages(), ids=str)
def test_every_link_leads_somewhere(path: Path) -> None:
    """To a file, and where it says so to a heading of it."""
    assert dead_links(path, pages()[path]) == []


def test_a_dead_link_is_told() -> None:
    """No such file, no such heading there, none here; what lives is not told, nor other hosts."""
    page = "# A b\n[1](no.md) [2](docs/trust.md#no) [3](#no) [4](#a-b) [5](docs) [6](https://a.b)\n"
    assert dead_links(Path("page.md"), page) == ["no.md", "docs/trust.md#no", "#no"]


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ("```console\n$ grantproof role list\n```\n", "nobody runs `grantproof role list`"),
        ("```\n$ ls\n```\n", "it has commands: let it be `console`"),
        ("```python\nprint(1)\n```\n", "neither run nor quoted from the source"),
        ("```ruby\nputs 1\n```\n", "`ruby` is nothing that anybody runs or reads"),
        ("`a.yaml`:\n\n```yaml\na: 1\n```\n", "nobody writes `a.yaml`"),
        ("```csv\na,b\n```\n", "it cannot be read"),
        ("so\n\n    grantproof dead\n", "let `grantproof dead` stand between fences"),
    ],
)
def test_a_block_that_nothing_executes_is_told(page: str, fault: str) -> None:
    """Each kind, by its line."""
    (told,) = unexecuted(Path("page.md"), page)
    assert told.partition(": ")[2] == fault


def test_a_block_more_than_a_test_runs_is_told() -> None:
    """A page with a test of its own is counted."""
    one = ELSEWHERE[0]
    page = f"```{one.language}\n{{}}\n```\n" * (one.blocks + 1)
    (told,) = unexecuted(one.path, page)
    assert f"{one.blocks + 1} blocks" in told


def test_a_quotation_is_held_to_the_source() -> None:
    """Lines in order, with gaps where it says so; a line that is not there is noticed."""
    text = (ROOT / "src/grantproof/core/policy.py").read_text(encoding="utf-8")
    first, last = [line for line in text.splitlines() if line.startswith("def ")][::2][:2]
    assert is_quoted(f"{first}\n...\n{last}\n")
    assert not is_quoted(f"{last}\n{first}\n")
    assert not is_quoted(f"{first}\n    return 42_000_042\n")


def test_files_commands_and_their_output_are_told_apart() -> None:
    """A file has the name before it or in its fence; a command goes on while it is open."""
    files = "`a.csv`:\n\n```csv\nx\n```\n\n```yaml b.yaml\ny\n```\n"
    page = f"{files}```console\n$ a 'b\nc'\nd\n\n$ e\n```\n"
    first, second, third = blocks(page)
    assert (first.name, second.name, third.name, third.line) == ("a.csv", "b.yaml", "", 10)
    assert [(one.command, one.shown) for one in steps(third.text)] == [
        ("a 'b\nc'", "d\n"),
        ("e", ""),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "right"),
    [
        ("", "", True),
        ("", "a\n", False),
        ("a\n", "a", True),
        ("a ... d\n", "a b c d\n", True),
        ("a ... d\n", "a b\nd\n", False),
        ("a\n...\n", "a\nb\nc\n", True),
        ("a\n...\nd\n", "a\nd\n", True),
        ("a\n...\nd\n", "a\nb\n", False),
    ],
)
def test_what_is_shown_is_compared(shown: str, printed: str, *, right: bool) -> None:
    """Dots in a line stand for the rest of it, dots on a line for any lines."""
    assert agrees(shown, printed) is right
