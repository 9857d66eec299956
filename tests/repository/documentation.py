"""What executes each block of the documentation: three tables, which `test_documentation.py` holds.

A page is carried out from top to end by `tests/e2e/test_pages.py`, or its blocks by a test of its
own. The commands that no test can run are few, and each has its reason.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is carried out, and where its reader is before the first command."""

    path: Path
    demo: bool = False
    """Whether the database has the organization `acme` of the demo in it."""
    served: bool = False
    """Whether a service of the database listens on port 9090, as far as curl can see."""
    before: str = ""
    """What the page says in words that its reader has done, as commands."""
    alone: bool = False
    """Whether no database or organization is named for it: it says itself which it takes."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """So many blocks of a language on a page, which another test executes."""

    path: Path
    language: str
    blocks: int
    test: str
    """`path::function` below `tests`."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Commands that no test runs, by what they begin with; there are exactly so many."""

    begins: str
    commands: int
    reason: str


OPERATOR: Final = "export KEY=$(grantproof key create --operator 2>/dev/null)"
LEDGER: Final = """
grantproof org create acme
grantproof kind create file
grantproof resource create ledger --kind file
grantproof role create clerk
grantproof role create auditor
grantproof claim create write-ledger clerk write ledger
grantproof claim create read-ledger auditor read ledger
grantproof sod create one-hat clerk auditor --mode dynamic
grantproof principal create ann
grantproof assign ann clerk
grantproof assign ann auditor
"""
REMOTE: Final = """
export GRANTPROOF_KEY=$(grantproof key create --operator 2>/dev/null)
export GRANTPROOF_SERVER=http://localhost:$GRANTPROOF_PORT
"""
METERED: Final = "grantproof role create analyst && grantproof assign alice analyst"
INSTALLED: Final = 'mkdir -p .venv/bin && ln -s "$(command -v grantproof)" .venv/bin/grantproof'

CARRIED_OUT: Final = (
    Page(Path("tla/README.md")),
    Page(Path("README.md"), demo=True, served=True, before=INSTALLED),
    Page(Path("docs/adding-a-constraint.md")),
    Page(Path("docs/administration.md")),
    Page(Path("docs/audit.md"), demo=True),
    Page(Path("docs/authentication.md"), demo=True, served=True, before=OPERATOR),
    Page(Path("docs/console.md"), demo=True),
    Page(Path("docs/deployment.md"), demo=True, served=True),
    Page(Path("docs/diff.md"), demo=True),
    Page(Path("docs/guardrails.md")),
    Page(Path("docs/import.md"), demo=True),
    Page(Path("docs/importing-from-others.md")),
    Page(Path("docs/metering.md"), demo=True, served=True, before=METERED),
    Page(Path("docs/policy-apply.md")),
    Page(Path("docs/policy-tests.md")),
    Page(Path("docs/policy.md")),
    Page(Path("docs/questions.md"), demo=True),
    Page(Path("docs/reachability.md"), demo=True),
    Page(Path("docs/remote.md"), demo=True, served=True, before=REMOTE),
    Page(Path("docs/review.md"), demo=True),
    Page(Path("docs/runbook.md"), demo=True, served=True, before=OPERATOR),
    Page(Path("docs/sessions.md"), before=LEDGER),
    Page(Path("docs/trust.md"), demo=True),
    Page(Path("docs/tutorial.md"), alone=True),
    Page(Path("docs/verify.md")),
)

ELSEWHERE: Final = (
    Elsewhere(
        Path("docs/authzen.md"),
        "json",
        9,
        "unit/test_authzen_page.py::test_each_request_of_the_page_is_answered_as_it_shows",
    ),
    Elsewhere(
        Path("docs/backup.md"),
        "console",
        6,
        "e2e/test_backup.py::test_the_page_on_files_works_when_pasted",
    ),
    Elsewhere(
        Path("docs/clients.md"),
        "python",
        4,
        "unit/test_clients_page.py::test_the_page_has_these_programs",
    ),
    Elsewhere(
        Path("docs/clients.md"),
        "yaml",
        1,
        "unit/test_clients_page.py::test_the_engine_of_the_page_answers",
    ),
    Elsewhere(
        Path("docs/deployment.md"),
        "python",
        1,
        "unit/test_deployment_pages.py::test_the_example_of_embedding_runs",
    ),
    Elsewhere(
        Path("docs/upgrade.md"),
        "console",
        1,
        "e2e/test_upgrade.py::test_the_page_works_when_pasted",
    ),
    Elsewhere(Path("examples/README.md"), "console", 3, "e2e/test_examples.py::test_documents"),
    Elsewhere(Path("examples/README.md"), "sh", 3, "e2e/test_examples.py::test_documents"),
)

ENDLESS: Final = "it makes this environment anew, takes minutes, or serves until it is stopped"
INSTALLS: Final = "it fetches packages or a repository, which no test does"
HOST: Final = "it is about a host that is set up as the page says"
CASE: Final = "it is about a case that a service has written on a bad day"
SERVER: Final = "it is about a server of PostgreSQL; `e2e/test_cli_postgresql.py` uses one"
SHELL: Final = "it writes where shells look; `e2e/test_completion.py` uses what it writes"
OF_THE_READER: Final = "it names a server or a file of the reader's: the test names its own"

LEFT_OUT: Final = (
    LeftOut("make ", 9, ENDLESS),
    LeftOut("grantproof serve\n", 1, ENDLESS),
    LeftOut("grantproof serve --demo\n", 1, ENDLESS),
    LeftOut("python -m specs.mutants ", 1, ENDLESS),
    LeftOut("python -m specs.against ", 2, ENDLESS),
    LeftOut("git clone ", 2, INSTALLS),
    LeftOut(".venv/bin/pre-commit ", 1, INSTALLS),
    LeftOut("pip install 'grantproof[postgres]'", 1, INSTALLS),
    LeftOut("python3 -m venv ", 1, INSTALLS),
    LeftOut("pip install .", 1, INSTALLS),
    LeftOut("promtool ", 2, INSTALLS),
    LeftOut("systemctl ", 1, HOST),
    LeftOut("journalctl ", 7, HOST),
    LeftOut("cat /var/lib/prometheus/", 2, HOST),
    LeftOut("df -h ", 3, HOST),
    LeftOut("du -sh /var/lib/", 1, HOST),
    LeftOut("ls -l ", 2, HOST),
    LeftOut('grantproof db backup "/var/', 1, HOST),
    LeftOut("grantproof case replay ", 3, CASE),
    LeftOut("createuser ", 1, SERVER),
    LeftOut("createdb grantproof ", 1, SERVER),
    LeftOut("export GRANTPROOF_DATABASE_URL='postgresql:", 1, SERVER),
    LeftOut("(umask 077 && openssl rand ", 1, SERVER),
    LeftOut("export GRANTPROOF_AUDIT_KEY_FILE=/etc/", 1, SERVER),
    LeftOut("grantproof org create acme\n", 1, SERVER),
    LeftOut("psql ", 3, SERVER),
    LeftOut("pg_isready ", 1, SERVER),
    LeftOut("grantproof --install-completion", 1, SHELL),
    LeftOut("grantproof --show-completion > /etc/", 1, SHELL),
    LeftOut("export GRANTPROOF_SERVER=https:", 1, OF_THE_READER),
    LeftOut("export GRANTPROOF_KEY_FILE=~", 1, OF_THE_READER),
)


def left_out(command: str) -> bool:
    """Whether a command is one of those that no test runs."""
    return any(f"{command}\n".startswith(one.begins) for one in LEFT_OUT)
