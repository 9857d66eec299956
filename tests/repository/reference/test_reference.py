"""The pages of the reference are those of the code, lead somewhere, and their examples are good."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jsonschema_rs
import pytest

from grantproof.policyfile.policy_text import read_source
from grantproof.policyfile.source import Source
from tests.repository.reference import policy_page
from tests.repository.reference.markdown import DOCS, FOLDER, anchor, cell, page, table, typed
from tests.repository.reference.pages import CONTENTS, PAGES
from tests.repository.reference.python_page import public_names

HOW = "run `make reference`"
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_the_one_of_the_code(name: str) -> None:
    """Whoever changes the code commits what it does to the page."""
    assert (FOLDER / name).read_text("utf-8") == PAGES[name](), HOW


def test_no_page_is_left_over() -> None:
    """What the code does not make any more is not there, and every page is led to."""
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)
    assert {name for name in CONTENTS if "/" not in name} == set(PAGES) - {"README.md"}


def broken(text: str, folder: Path) -> Iterator[str]:
    """The links of a page that lead nowhere: to no file, or to no heading of it."""
    own = anchors(text)
    for target in LINK.findall(FENCE.sub("", text)):
        path, _, wanted = target.partition("#")
        if path.startswith(("http:", "https:")):
            continue
        found = own if path == "" else anchors_of(folder / path)
        if found is None or (wanted and wanted not in found):
            yield target


def anchors(text: str) -> frozenset[str]:
    """The addresses of the headings of a page."""
    return frozenset(anchor(heading) for heading in HEADING.findall(FENCE.sub("", text)))


@cache
def anchors_of(path: Path) -> frozenset[str] | None:
    """The same of a file; nothing of one that is not there."""
    return anchors(path.read_text("utf-8")) if path.exists() else None


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    """To a file of the repository, and to a heading of it."""
    assert list(broken(PAGES[name](), FOLDER)) == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    """To no file, to no heading of a file, to no heading of the page itself."""
    text = "# A\n[a](#a) [b](#b) [c](../errors.md) [d](../errors.md#nowhere) [e](../nothing.md)"
    assert list(broken(text, FOLDER)) == ["#b", "../errors.md#nowhere", "../nothing.md"]


def test_every_example_of_a_policy_is_read() -> None:
    """As part of a file; what it refers to need not be in it."""
    head = "apiVersion: grantproof/v1\nkind: Organization\nid: shop\n"
    claim = "claims:\n- id: c\n  role: r\n  action: a\n  resource: docs\n  "
    schema = policy_page.schema("organization")
    validator = jsonschema_rs.validator_for(schema)
    assert set(policy_page.EXAMPLES) <= set(schema["$defs"])
    for text in policy_page.EXAMPLES.values():
        is_part = text.startswith("constraints:")
        whole = head + (claim + text.replace("\n", "\n  ") if is_part else text)
        source = read_source(whole)
        assert isinstance(source, Source), source
        assert list(validator.iter_errors(source.data)) == []


def test_every_public_name_of_the_client_is_told() -> None:
    """With its docstring: a heading without words below it tells nothing."""
    told = PAGES["python.md"]()
    for name in public_names():
        _, heading, rest = told.partition(f"\n### {name}\n\n```python\n")
        assert heading, name
        said = rest.partition("```\n")[2].lstrip("\n")
        assert re.match(r"[A-Z`]", said), f"`{name}` has no docstring"


def test_what_the_page_on_clients_imports_is_told() -> None:
    """Whoever copies a program of it finds each of its names in the reference."""
    imported = re.findall(
        r"^from grantproof\.client\.?(\w*) import (.+)$",
        (DOCS / "clients.md").read_text("utf-8"),
        re.MULTILINE,
    )
    names = {
        ".".join(filter(None, (module, name)))
        for module, several in imported
        for name in several.split(", ")
    }
    assert {"Client", "fastapi.Requiring", "asgi.Guard", "routes.Rule"} <= names
    told = set(HEADING.findall(PAGES["python.md"]()))
    assert sorted(names - told) == []


def test_a_table_keeps_its_cells_apart() -> None:
    """A bar or the end of a line in a text does not end its cell; no rows are no table."""
    assert cell("a | b\nc \\| d") == "a \\| b c \\| d"
    assert table(("x",), []) == ""
    assert table(("x", "y"), [("1", "2")]) == "| x | y |\n|---|---|\n| 1 | 2 |"
    assert page("T", "", "a\n").endswith("-->\n\na\n")


def test_typed_command_lines_are_read_from_blocks() -> None:
    """Continued over several lines, with comments, and not outside of a block of a shell."""
    text = "```console\n$ grantproof a \\\n    b # c\nout\n$ ls\n```\n$ grantproof d\n"
    assert list(typed(text)) == [["grantproof", "a", "b"]]
    assert DOCS.is_dir()
