"""The page of settings: each environment variable, as `settings.py` declares it."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from grantproof.settings import Settings, written_as
from tests.repository.reference.markdown import code, page, table

INTRODUCTION: Final = """
`grantproof serve` is configured by its environment; the other commands read what concerns the
database. A wrong value is one line with the name of the setting and its rule, and exit code 2,
before anything is opened. `grantproof serve --print-config` prints every setting as it would be
used, and who gave it. What lies behind them is told in [operations](../operations.md).
"""

SECTIONS: Final = {
    "database_url": "## Storage",
    "host": "## Listening",
    "follow_seconds": "## Freshness",
    "jwt_issuer": "## Tokens\n\nSee [authentication](../authentication.md#tokens).",
    "body_bytes_max": "## Requests",
    "decision_log": "## The decision log\n\nSee [the decision log](../decision-log.md).",
    "contracts_changes": "## Checks of itself\n\nSee [contracts](../contracts.md).",
    "snapshots": "## Snapshot files\n\nSee [operations](../operations.md#snapshot-files).",
    "solver_seconds_max": "## The solver\n\nSee [operations](../operations.md#the-solver).",
    "verification_report": "## Verification",
    "log_level": "## Logs\n\nSee [operations](../operations.md#logs).",
    "drain_seconds": "## Stopping and limits\n\nSee [operations](../operations.md#stopping).",
    "public_url": "## AuthZEN\n\nSee [AuthZEN](../authzen.md).",
}
"""Above the setting of each name begins a section."""

UNITS: Final = (
    (re.compile(r"seconds|^max_staleness$"), "seconds"),
    (re.compile(r"mib"), "MiB"),
    (re.compile(r"bytes"), "bytes"),
    (re.compile(r"days"), "days"),
    (re.compile(r"per_minute"), "a minute"),
    (re.compile(r"^rate_limit$"), "a second"),
    (re.compile(r"share$|^contracts_(changes|certificates|shadow)$"), "a share of all"),
    (re.compile(r"^port$"), "a port"),
    (re.compile(r"^(workers|solvers_max|cases_max|connections_max)$|queue$|burst$"), "a count"),
)
"""The unit of a number, by the name of its setting; the first that is found."""

KINDS: Final = {bool: "`true` or `false`", str: "text", Path: "a path"}
"""How the value of a setting is called that is no number and none of a list."""

OTHERS: Final = {
    "GRANTPROOF_ORG": "the organization that commands are about, without `--org`",
    "GRANTPROOF_SERVER": "the server that commands ask in place of a database, without `--server`",
    "GRANTPROOF_KEY": "the API key that commands present to a server",
    "GRANTPROOF_KEY_FILE": "a file with that key, without `--key-file`",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "the collector that traces are sent to",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "the same, for traces alone",
    "OTEL_TRACES_EXPORTER": "`otlp` switches traces on, `none` off",
    "OTEL_SDK_DISABLED": "`true` switches traces off",
}
"""What else is read of the environment."""


def written() -> str:
    """The page."""
    parts = [INTRODUCTION]
    rows: list[tuple[str, ...]] = []
    for name, field in Settings.model_fields.items():
        if name in SECTIONS:
            parts += [*_table(rows), SECTIONS[name]]
            rows = []
        told = field.description or ""
        rows.append((code(variable(name)), _type(name, field), default(field.default), told))
    parts += [*_table(rows), "## Other variables"]
    parts += [table(("variable", "meaning"), ((code(name), told) for name, told in OTHERS.items()))]
    parts += ["Traces are told in [operations](../operations.md#traces)."]
    return page("Settings", *parts)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"GRANTPROOF_{name.upper()}"


def default(value: object) -> str:
    """How the default of a setting is written."""
    return "" if value is None else code(written_as(value))


def unit(name: str) -> str | None:
    """The unit of a setting that is a number, if its name tells one."""
    return next((unit for pattern, unit in UNITS if pattern.search(name)), None)


def bounds(field: FieldInfo) -> tuple[float | None, float | None, bool]:
    """The least and the largest value, and whether the least is excluded."""
    found = {
        bound: getattr(one, bound)
        for one in field.metadata
        for bound in ("gt", "ge", "le")
        if hasattr(one, bound)
    }
    return found.get("gt", found.get("ge")), found.get("le"), "gt" in found


def kind_of(field: FieldInfo) -> type:
    """The type of a setting, without the nothing that it may be."""
    kinds = get_args(field.annotation) or (field.annotation,)
    if choices(field):
        return str
    (kind,) = [one for one in kinds if isinstance(one, type) and one is not type(None)]
    return kind


def choices(field: FieldInfo) -> list[str]:
    """The words that a setting may be, where they are listed in its type."""
    is_listed = get_origin(field.annotation) is Literal
    return [str(one) for one in get_args(field.annotation)] if is_listed else []


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    return [table(("variable", "value", "default", "meaning"), rows)] if rows else []


def _type(name: str, field: FieldInfo) -> str:
    kind = kind_of(field)
    named = [one.value for one in kind] if issubclass(kind, StrEnum) else choices(field)
    if named:
        return ", ".join(code(one) for one in named)
    if kind in {int, float}:
        return f"{unit(name)}, {_span(*bounds(field))}"
    return KINDS[kind]


def _span(least: float | None, largest: float | None, excluded: bool) -> str:
    if largest is None:
        return f"{least:,} or more"
    return f"above {least:,} to {largest:,}" if excluded else f"{least:,} to {largest:,}"
