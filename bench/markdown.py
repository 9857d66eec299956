"""The tables of a run as Markdown, to be put into `docs/performance.md`."""

from collections.abc import Iterator

from bench.report import Report, of_guardrails
from bench.tables import Table, headline, http_headline, of_comparison, of_http, of_steady


def print_markdown(report: Report) -> None:
    """Print every table."""
    print("\n\n".join(markdown(report)))


def markdown(report: Report) -> Iterator[str]:
    """Yield what was run and where, then table by table; those that sum up come first."""
    told = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    yield f"`{report.command}`: {told}"
    yield from map(as_markdown, tables(report))


def tables(report: Report) -> Iterator[Table]:
    """Yield every table of the report."""
    for summed_up in (headline(report.in_process), http_headline(report.over_http)):
        if summed_up is not None:
            yield summed_up
    yield from map(of_comparison, report.in_process)
    for comparison in report.over_http:
        yield of_http(comparison)
        steady = of_steady(comparison)
        if steady is not None:
            yield steady
    yield from map(of_guardrails, report.guardrails)


def as_markdown(table: Table) -> str:
    """Return the table as Markdown."""
    lines = [
        f"**{table.title}**",
        "",
        _line(table.headings),
        _line(("---", *("---:" for _ in table.headings[1:]))),
        *map(_line, table.rows),
    ]
    if table.notes:
        lines += ["", *(f"- {note}" for note in table.notes)]
    return "\n".join(lines)


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
