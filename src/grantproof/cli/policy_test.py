"""`policy test`: run the tests that stand beside a policy, and say what they reach of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from grantproof.cli.exits import ExitCode, Stop, unusable, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import indented, tell, tell_coloured, tell_json
from grantproof.cli.policy_files import state_of_policy
from grantproof.cli.progress import progress
from grantproof.client.policy_paths import gather
from grantproof.service.trees import Tree

if TYPE_CHECKING:
    from grantproof.core.organization import Organization
    from grantproof.policyfile.policy_test_text import Suite
    from grantproof.policyfile.source import Place
    from grantproof.service.policy_tests import Result, Share, Trial

PERCENT_MAX: Final = 100
SHOWN_MAX: Final = 20
"""So many ids that no test reaches are listed on one line; programs get all of them."""

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        help="Files of the policy and of its tests (*_test.yaml), or folders of them.",
    ),
]
Coverage = Annotated[
    bool, typer.Option("--coverage", help="Say which claims and roles no test exercises.")
]
CoverageMin = Annotated[
    float | None,
    typer.Option(
        "--coverage-min",
        metavar="PERCENT",
        help="Fail unless so many of the claims, and of the roles, are exercised.",
    ),
]
JUnit = Annotated[
    str | None, typer.Option("--junit", metavar="FILE", help="Write the results as JUnit XML too.")
]
Only = Annotated[
    str | None,
    typer.Option(
        "--run", metavar="PATTERN", help="Run only tests whose name the regular expression finds."
    ),
]


@dataclass(frozen=True, slots=True)
class Placed:
    """A result with the file, the line and the column of its test, and what its file is called."""

    file: str
    suite: str
    place: "Place"
    result: "Result"

    @property
    def where(self) -> str:
        """The place, as editors understand it."""
        return f"{self.file}:{self.place[0]}:{self.place[1]}"


def run_tests(
    operator: Operator,
    paths: Paths,
    *,
    coverage: Coverage = False,
    coverage_min: CoverageMin = None,
    junit: JUnit = None,
    run: Only = None,
) -> None:
    """Run the tests of a policy: exit code 1 when one fails, or too little is exercised.

    Files whose names end in `_test` hold the tests, the others the policy. Neither a database nor
    the clock is looked at.
    """
    from grantproof.service.policy_tests import Trial

    wanted = _pattern(run)
    if coverage_min is not None and not 0 <= coverage_min <= PERCENT_MAX:
        raise usage(f"`--coverage-min` must be between 0 and {PERCENT_MAX}")
    with progress() as bar:
        state = state_of_policy(paths, bar)
    trial = Trial(state)
    results = [
        placed
        for file, tests in _tests(paths, state).items()
        for placed in _run(trial, tests, file=file, wanted=wanted)
    ]
    if len(results) == 0:
        raise usage(f"no test has a name that `{run}` finds")
    if junit is not None:
        _write_junit(junit, results)
    shares = {"claims": trial.claims(), "roles": trial.roles()}
    least = min(share.percent for share in shares.values())
    covered = coverage_min is None or least >= coverage_min
    if operator.json:
        tell_json(_document(results, shares, covered=covered))
    else:
        _tell(results)
        if coverage or not covered:
            _tell_coverage(shares)
    if not covered and not operator.json:
        tell(f"coverage is below {coverage_min:g} %")
    if not covered or any(not placed.result.passed for placed in results):
        raise typer.Exit(ExitCode.NO)


def _pattern(text: str | None) -> re.Pattern[str]:
    try:
        return re.compile(text or "")
    except re.error as error:
        raise usage(f"`--run` must be a regular expression: {error.msg}") from None


def _tests(paths: list[str], state: "Organization") -> "dict[str, Suite]":
    """Return the tests, by file; raises `Stop` with every problem of every file."""
    from grantproof.policyfile.policy_test_text import Suite, misnamed, read_tests

    reading = gather(paths, tests=True)
    if reading.unreadable:
        raise Stop(ExitCode.USAGE, *(one.message for one in reading.unreadable))
    found: dict[str, Suite] = {}
    lines: list[str] = []
    for file, text in reading.texts.items():
        tests = read_tests(text)
        wrong = misnamed(tests, state) if isinstance(tests, Suite) else tests
        lines.extend(problem.in_file(file) for problem in wrong)
        if isinstance(tests, Suite):
            found[file] = tests
    if lines:
        raise Stop(ExitCode.USAGE, *lines)
    return found


def _run(trial: "Trial", tests: "Suite", *, file: str, wanted: re.Pattern[str]) -> list[Placed]:
    results = list(trial.run(tests.document, lambda name: wanted.search(name) is not None))
    places = tests.source.locate(result.path for result in results)
    suite = tests.document.name or Path(file).stem
    return [Placed(file, suite, places[result.path], result) for result in results]


def _tell(results: list[Placed]) -> None:
    failed = [placed for placed in results if not placed.result.passed]
    for placed in failed:
        result = placed.result
        tell_coloured(f"{placed.where}: {result.name}", "red")
        for line in (*_told(result), *_why(result)):
            tell(f"  {line}")
        tell()
    count = len(results)
    summary = f"{count - len(failed)} passed, {len(failed)} failed"
    tell_coloured(summary, "red" if failed else "green")


def _told(result: "Result") -> list[str]:
    return [
        f"expected: {result.expected}",
        f"actual:   {result.actual}",
        *(f"wrong:    {line}" for line in result.wrong),
    ]


def _why(result: "Result") -> list[str]:
    """Return what the result rests on: the evidence of an allow, every claim against a deny."""
    from grantproof.cli.answers import certificate_lines, weighed_tree
    from grantproof.cli.output import listed
    from grantproof.core.policy import Allow
    from grantproof.policyfile.witnesses import single
    from grantproof.service.review import Explanation
    from grantproof.service.witness_tree import witness_tree

    why = result.why
    if why is None:
        return []
    if not isinstance(why, Explanation):
        tree = witness_tree(single(why))
        return [] if tree is None else indented(tree)
    if isinstance(why.decision, Allow):
        return list(certificate_lines(why.decision.certificate))
    trees = [weighed_tree(weighed) for weighed in why.weighed]
    silent = [] if trees else [Tree("no claim speaks of this action on this resource")]
    roles = Tree(f"active roles: {listed(why.active_roles)}")
    return [line for tree in (roles, *trees, *silent) for line in indented(tree)]


def _tell_coverage(shares: "Mapping[str, Share]") -> None:
    for noun, share in shares.items():
        exercised = f"{len(share.exercised)} of {len(share.all)}"
        tell(f"{noun}: {exercised} exercised ({share.percent:.1f} %)")
        for what, ids in (
            ("allowed by no passing test", share.touched - share.exercised),
            ("touched by no test", share.all - share.touched),
        ):
            if ids:
                tell(f"  {what}: {_some(sorted(ids))}")


def _some(ids: list[str]) -> str:
    more = len(ids) - SHOWN_MAX
    return ", ".join(ids[:SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def _document(
    results: list[Placed], shares: "Mapping[str, Share]", *, covered: bool
) -> dict[str, Any]:
    failed = sum(not placed.result.passed for placed in results)
    return {
        "outcome": "passed" if failed == 0 and covered else "failed",
        "passed": len(results) - failed,
        "failed": failed,
        "tests": [
            {
                "file": placed.file,
                "line": placed.place[0],
                "column": placed.place[1],
                "name": placed.result.name,
                "outcome": "passed" if placed.result.passed else "failed",
                "expected": placed.result.expected,
                "actual": placed.result.actual,
                "wrong": list(placed.result.wrong),
                "why": _why(placed.result) if not placed.result.passed else [],
            }
            for placed in results
        ],
        "coverage": {
            noun: {
                "percent": round(share.percent, 1),
                "exercised": sorted(share.exercised),
                "touched_only": sorted(share.touched - share.exercised),
                "untouched": sorted(share.all - share.touched),
            }
            for noun, share in shares.items()
        },
    }


def _write_junit(file: str, results: list[Placed]) -> None:
    from grantproof.cli.junit import Case, junit

    cases = [
        Case(
            placed.suite,
            placed.result.name,
            placed.file,
            placed.place[0],
            None
            if placed.result.passed
            else (
                "; ".join(placed.result.wrong),
                "\n".join([placed.where, *_told(placed.result), *_why(placed.result)]),
            ),
        )
        for placed in results
    ]
    try:
        Path(file).write_text(junit(cases), encoding="utf-8")
    except OSError as error:
        raise unusable(file, "written", error) from None
