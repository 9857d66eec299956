"""Everything that users meet is documented, and no page names what does not exist.

Settings, routes, commands and options, metrics, codes of problems, scopes, events, limits: each is
walked both ways, over every page and over the code.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import pytest

from grantproof.api import access, wording
from grantproof.api.console.places import is_console
from grantproof.api.events import COMMANDS
from grantproof.cli.exits import ExitCode
from grantproof.cli.main import program
from grantproof.service.callers import Scope
from grantproof.settings import Settings
from tests.repository.checkout import ROOT
from tests.repository.reference import commands_page, events_page, limits_page, named, settings_page
from tests.repository.reference.http_page import document
from tests.repository.reference.markdown import DOCS, FOLDER, hand_written
from tests.unit import test_error_catalogue, test_metrics_page

BESIDE: Final = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md")
"""Pages that people write outside of `docs`; the changelog tells what once was."""


def pages() -> dict[str, str]:
    """Every page that people write, by its path."""
    beside = {name: (ROOT / name).read_text("utf-8") for name in BESIDE}
    return {**{f"docs/{name}": text for name, text in hand_written().items()}, **beside}


def reference(name: str) -> str:
    """A page of the reference."""
    return (FOLDER / name).read_text("utf-8")


def in_first_cells(text: str) -> set[str]:
    """What the first cells of the tables of a page name, as it is typed."""
    return set(re.findall(r"^\| \[?`([^`]+)`", text, re.MULTILINE))


def undocumented(exist: Iterable[str], told: Iterable[str]) -> list[str]:
    """What exists and is not told, and what is told and does not exist."""
    there, said = set(exist), set(told)
    wrong = [f"{name} is not told" for name in sorted(there - said)]
    return wrong + [f"{name} does not exist" for name in sorted(said - there)]


def nonexistent(texts: dict[str, str], fault: Callable[[str], Iterable[object]]) -> list[str]:
    """What the pages name that is not there."""
    return [
        f"{name}: {one}" for name, text in texts.items() for one in sorted(map(str, fault(text)))
    ]


def wrong_variables(text: str) -> set[str]:
    """Environment variables that nothing reads."""
    return named.variables_told(text) - named.variables_read() - named.variables_of_tests()


def wrong_routes(text: str) -> list[str]:
    """Routes that are not there."""
    return [told for told in named.routes_told(text) if not named.is_route(told)]


def wrong_commands(text: str) -> Iterator[str]:
    """Command lines with a command or an option that is not there."""
    for words in named.command_lines(text):
        unknown = named.unknown_word(words)
        if unknown is not None:
            yield f"`{unknown}` in `{' '.join(words)}`"


def wrong_metrics(text: str) -> list[str]:
    """Metrics that are not there."""
    return [told for told in named.metrics_told(text) if not named.is_metric(told)]


def wrong_problems(text: str) -> set[tuple[int, str]]:
    """Codes that are not there, or have another status."""
    return named.problems_told(text) - named.problems()


def wrong_limits(text: str) -> set[str]:
    """Limits that are not there."""
    return named.limits_told(text) - named.limits_named()


WALKS: Final[dict[str, Callable[[str], Iterable[object]]]] = {
    "variables": wrong_variables,
    "routes": wrong_routes,
    "commands": wrong_commands,
    "metrics": wrong_metrics,
    "problems": wrong_problems,
    "limits": wrong_limits,
}


@pytest.mark.parametrize("walk", WALKS)
def test_no_page_names_what_does_not_exist(walk: str) -> None:
    """A name that was changed in the code is changed on every page that tells it."""
    assert nonexistent(pages(), WALKS[walk]) == []


@pytest.mark.parametrize(
    ("walk", "text", "fault"),
    [
        ("variables", "`GRANTPROOF_DREAMS=1`, `GRANTPROOF_PORT`", "GRANTPROOF_DREAMS"),
        ("routes", "`GET /v1/dreams` and `POST /evaluate`", "GET /v1/dreams"),
        ("routes", "`DELETE /evaluate`, `GET /v1/orgs/acme/roles/{id}`", "DELETE /evaluate"),
        ("commands", "`grantproof dream` `grantproof db check`", "`dream` in `grantproof dream`"),
        (
            "commands",
            "```console\n$ grantproof --org acme key list --dream\n$ grantproof key list\n```\n",
            "`--dream` in `grantproof --org acme key list --dream`",
        ),
        ("metrics", "grantproof_dreams_total grantproof_verified", "grantproof_dreams_total"),
        ("problems", "404 `not_found`, 404 `dreamt`", "(404, 'dreamt')"),
        ("problems", "409 `not_found`", "(409, 'not_found')"),
        ("limits", "`ROLES_MAX`, `DREAMS_MAX`", "DREAMS_MAX"),
    ],
)
def test_a_page_that_names_what_does_not_exist_is_found(walk: str, text: str, fault: str) -> None:
    """Of each kind: one that is there is passed over, one that is not is told."""
    assert nonexistent({"page": text}, WALKS[walk]) == [f"page: {fault}"]


def test_what_is_missing_or_made_up_is_told() -> None:
    """Both ways."""
    assert undocumented({"a", "b"}, {"b", "c"}) == ["a is not told", "c does not exist"]


def test_every_setting_is_documented() -> None:
    """Once, with what it may be, its unit and its meaning; and all else that is read."""
    told = in_first_cells(reference("settings.md"))
    assert undocumented(named.variables_documented(), told) == []
    assert undocumented(named.variables_read(), named.variables_documented()) == []
    for name, field in Settings.model_fields.items():
        assert field.description, name
        if settings_page.kind_of(field) in {int, float}:
            assert settings_page.unit(name) is not None, f"say the unit of `{name}`"
            assert settings_page.bounds(field)[0] is not None, f"bound `{name}`"
    assert set(settings_page.SECTIONS) <= set(Settings.model_fields)


def test_every_route_is_documented() -> None:
    """Each with its text, its parameters and what goes wrong."""
    headings = re.findall(r"^### ([A-Z]+ /.*)$", reference("http.md"), re.MULTILINE)
    served = {
        f"{method.upper()} {path}" for path, item in document()["paths"].items() for method in item
    }
    assert undocumented(served, headings) == []
    emptied = {named.emptied(one) for one in served}
    assert {one for one in named.routes() if one not in emptied and not is_page(one)} == set()
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            assert operation.get("summary"), (method, path)
            assert operation.get("description"), (method, path)
            for parameter in operation.get("parameters", ()):
                assert parameter.get("description"), (method, path, parameter["name"])


def is_page(route: str) -> bool:
    """Whether it is of the console, or shows the document: pages for people, not in it."""
    path = route.partition(" ")[2]
    return path in access.PUBLIC or is_console(path)


def members() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of every schema, by the names of both."""
    for name, schema in document()["components"]["schemas"].items():
        for field, member in schema.get("properties", {}).items():
            yield f"{name}.{field}", member


def test_every_field_is_documented() -> None:
    """In the document itself, for whoever reads it by another tool; but for constants."""
    bare = [name for name, one in members() if "const" not in one and not one.get("description")]
    assert bare == [], "say what it means in a docstring, or in `api/wording.py`"
    schemas = document()["components"]["schemas"]
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []


def test_no_wording_is_in_vain() -> None:
    """Each is the meaning of a field or a parameter that is there."""
    said = {name: member.get("description") for name, member in members()}
    for name, told in wording.FIELDS.items():
        ends = name if "." in name else f".{name}"
        assert told in {one for field, one in said.items() if field.endswith(ends)}, name
    given = {
        (parameter["name"], parameter.get("description"))
        for item in document()["paths"].values()
        for operation in item.values()
        for parameter in operation.get("parameters", ())
    }
    assert set(wording.PARAMETERS.items()) <= given


def test_every_command_and_option_is_documented() -> None:
    """Each with its help."""
    page = reference("commands.md")
    told = {f"grantproof {name}" for name in in_first_cells(page.partition("## Exit codes")[0])}
    assert undocumented(named.commands(), told) == []
    for path, found in commands_page.walk(program(), ()):
        name = commands_page.named(path)
        assert found.help, name
        _, heading, rest = page.partition(f"\n### {name}\n")
        shown = rest.partition("\n### ")[0] if heading else page
        for one in commands_page.own_parameters(found) if path else found.params:
            assert one.help, (name, one.name)
            assert one.param_type_name == "argument" or f"`{one.opts[0]}`" in shown, (
                name,
                one.name,
            )


def test_every_exit_code_is_documented() -> None:
    """Where the program is described, in its help, and with what to do in the catalogue."""
    epilog = program().epilog or ""
    assert [int(code) for code in re.findall(r"\b(\d) ", epilog)] == [
        code.value for code in ExitCode
    ]
    rows = test_error_catalogue.EXIT.findall(test_error_catalogue.PAGE)
    assert [int(code) for code, *_ in rows] == [code.value for code in ExitCode]


def test_every_metric_is_documented() -> None:
    """With its type and its labels, on the page that people write."""
    assert test_metrics_page.faults(test_metrics_page.PAGE) == []


def test_every_code_of_a_problem_is_documented() -> None:
    """With its status, on the page that people write."""
    rows = test_error_catalogue.PROBLEM.findall(test_error_catalogue.PAGE)
    told = {f"{status} {code}" for status, code, *_ in rows}
    assert undocumented({f"{status} {code}" for status, code in named.problems()}, told) == []


def test_every_scope_is_documented() -> None:
    """And every route says which it takes, by a name that is there."""
    table = (DOCS / "authentication.md").read_text("utf-8").partition("## Scopes")[2]
    told = in_first_cells(table.partition("\n## ")[0])
    assert undocumented((scope.value for scope in Scope), told) == []
    asked = set(
        re.findall(
            r"`([a-z-]+)`", "".join(re.findall(r"^Scope: .*$", reference("http.md"), re.MULTILINE))
        )
    )
    assert asked == {scope.value for scope in Scope} - {Scope.TRUSTED_CONTEXT.value}


def test_every_kind_of_event_is_documented() -> None:
    """Each command that an event may hold, and each fact of its delta."""
    commands = reference("events.md").partition("## Commands")[2].partition("###")[0]
    assert undocumented(COMMANDS, in_first_cells(commands)) == []
    assert events_page.kinds()[: len(events_page.WHOLE)] == list(events_page.WHOLE)


def test_every_limit_is_documented() -> None:
    """With its meaning, which stands below it in the code."""
    meanings = limits_page.meanings()
    assert undocumented(named.limits_named(), meanings) == []
    assert [name for name, told in meanings.items() if not told] == []
    assert undocumented(meanings, in_first_cells(reference("limits.md"))) == []


def test_every_key_of_a_policy_is_documented() -> None:
    """In the schemas, which the page is made of."""
    for name in ("organization", "policy-test"):
        schema = json.loads((DOCS / "schema" / f"{name}.schema.json").read_text("utf-8"))
        for owner, one in {"": schema, **schema["$defs"]}.items():
            assert one.get("description"), (name, owner)
            for key, member in one.get("properties", {}).items():
                assert member.get("description") or "const" in member, (name, owner, key)
