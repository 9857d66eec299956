"""The command line as a client of a real server, which is stopped and started in between."""

import subprocess
from pathlib import Path

from bench.servers import HOST
from grantproof.bootstrap import compose
from grantproof.settings import Settings
from tests import warm
from tests.processes import bare
from tests.warm import serving


def run(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the program as a shell would."""
    return warm.run(*arguments, env=bare(**environment))


def test_a_command_meets_a_server_that_comes_and_goes(tmp_path: Path) -> None:
    """Code 3 in one line while it is away; nothing is kept between commands, so the next works."""
    database = str(tmp_path / "grantproof.db")
    compose(Settings(database_url=database, demo=True)).close()
    here = {"GRANTPROOF_DATABASE_URL": database}
    made = run("key", "create", "--operator", environment=here).stdout.strip()
    key_file = tmp_path / "key"
    key_file.write_text(made)
    there = {"GRANTPROOF_KEY_FILE": str(key_file), "GRANTPROOF_ORG": "acme"}
    for round_ in range(2):
        with serving(here) as server:
            there["GRANTPROOF_SERVER"] = f"http://{HOST}:{server.port}"
            done = run("role", "create", f"r{round_}", environment=there)
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout == f"created role `r{round_}` (acme, revision {2 + round_})\n"
            decided = run("evaluate", "bob", "read", "docs", "--hour", "10", environment=there)
            assert (decided.returncode, decided.stdout[:5]) == (0, "Allow")
        done = run("role", "create", "lost", environment=there)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.startswith(f"no connection to `{there['GRANTPROOF_SERVER']}`: ")
        assert done.stderr.count("\n") == 1
