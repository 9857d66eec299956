"""Every page of the reference that is made of the code, and how each is made."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from tests.repository.reference import (
    commands_page,
    events_page,
    http_page,
    limits_page,
    policy_page,
    python_page,
    settings_page,
)
from tests.repository.reference.markdown import page, table

CONTENTS: Final = {
    "commands.md": "every command and option of `grantproof`",
    "settings.md": "every environment variable, with its values and its default",
    "http.md": "every route: scope, parameters, an example, answers",
    "schemas.md": "every field of what requests and answers hold",
    "policy.md": "every key of policy files and policy tests",
    "events.md": "every kind of change in the audit, and what it holds",
    "python.md": "what applications import",
    "limits.md": "every bound",
    "../errors.md": "every code of a problem and every exit code, and what to do",
    "../metrics.md": "every metric, a query for it, and what is alarming",
    "../authentication.md#scopes": "every scope",
    "../properties.md": "every property that is proved or tested",
}
"""What each page holds, those that people write included."""
WRITTEN: Final = {
    "../errors.md": "Errors",
    "../metrics.md": "Metrics",
    "../authentication.md#scopes": "Scopes",
    "../properties.md": "Properties",
}
"""What the pages are called that people write; tests hold them to the code."""
INTRODUCTION: Final = """
What there is, looked up by name. These pages are made of the code by `make reference`, and a test
fails when they are not those of the code; so does one when anything is missing in a page that
people write, or when any page names something that does not exist.
"""


def contents() -> str:
    """The page that leads to the others."""
    rows = [(f"[{_title(name)}]({name})", told) for name, told in CONTENTS.items()]
    return page("Reference", INTRODUCTION, table(("page", "what it tells"), rows))


def _title(name: str) -> str:
    if name in WRITTEN:
        return WRITTEN[name]
    return PAGES[name]().partition("\n")[0].removeprefix("# ")


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "README.md": contents,
    "commands.md": cache(commands_page.written),
    "settings.md": cache(settings_page.written),
    "http.md": cache(http_page.written),
    "schemas.md": cache(http_page.schemas_written),
    "events.md": cache(events_page.written),
    "policy.md": cache(policy_page.written),
    "python.md": cache(python_page.written),
    "limits.md": cache(limits_page.written),
}
