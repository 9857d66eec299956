"""What `tests/warm.py` starts is the program: it says, reads and ends as `PROGRAM` itself does."""

import os
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from grantproof.bootstrap import compose
from grantproof.settings import Settings
from tests import warm
from tests.e2e.test_stopping import answered, connected
from tests.processes import PROGRAM, bare, free_port
from tests.warm import Warm

POLICY = """\
apiVersion: grantproof/v1
kind: Organization
id: shop
principals: [{id: ann}]
"""
SECONDS_MAX = 60


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment that names a database with the demo organization, and the organization."""
    path = str(tmp_path / "grantproof.db")
    compose(Settings(database_url=path, demo=True)).close()
    return bare(GRANTPROOF_DATABASE_URL=path, GRANTPROOF_ORG="acme")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("role", "list"), 0),
        (("policy", "check", "policy.yaml"), 0),
        (("assign", "carol", "submitter"), 1),
        (("assign", "carol"), 2),
        (("assignments", "import", "-", "--format", "csv", "--name", "x"), 2),
        (("--server", "http://127.0.0.1:1", "role", "list"), 3),
    ],
)
def test_a_command_says_and_ends_as_the_program_does(
    words: tuple[str, ...], code: int, *, environment: dict[str, str], tmp_path: Path
) -> None:
    """On both outputs, with its exit code, from standard input and from its folder."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    really = subprocess.run(
        [PROGRAM, *words],
        cwd=tmp_path,
        env=environment,
        input=POLICY,
        capture_output=True,
        text=True,
        check=False,
    )
    done = warm.run(*words, cwd=tmp_path, env=environment, given=POLICY)
    assert (done.returncode, done.stdout, done.stderr) == (code, really.stdout, really.stderr)
    assert really.returncode == code


def test_a_shell_finds_the_program(environment: dict[str, str], tmp_path: Path) -> None:
    """Its exit code, its pipes and its folder are those of the shell; its clock can stand still."""
    script = "grantproof evaluate carol read docs | cat; grantproof assign; echo $?; pwd"
    folders = (warm.programs(), warm.programs(instant=0))
    said = [
        subprocess.run(
            ["sh", "-c", script],
            cwd=tmp_path,
            env={**environment, "PATH": f"{folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        )
        for folder in folders
    ]
    assert [one.stdout.splitlines()[-2:] for one in said] == [["2", str(tmp_path)]] * 2
    assert said[1].stdout.startswith("Deny")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_service_is_a_process(
    number: signal.Signals, code: int, *, environment: dict[str, str]
) -> None:
    """It has the pid that it is said to have, hears signals, and is gone when it has ended."""
    port = free_port()
    words = ("serve", "--demo", "--port", str(port))
    with warm.started(words, seconds=SECONDS_MAX, env=environment) as service:
        assert service.stdout is not None
        said = [service.stdout.readline() for _ in range(6)]
        assert said[0].startswith("DEMO")
        with closing(connected(port)) as connection:
            assert answered(connection, "GET", "/readyz") == (200, False)
        assert service.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            service.wait(0.01)
        service.send_signal(number)
        assert service.wait(SECONDS_MAX) == code
        assert service.poll() == code
        service.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(service.pid, 0)


def test_a_service_leads_its_own_session_if_it_is_to(environment: dict[str, str]) -> None:
    """So that a signal to its group reaches whoever it has started."""
    port = str(free_port())
    with Warm(["serve", "--port", port], env=environment, start_new_session=True) as service:
        assert os.getpgid(service.pid) == service.pid
        os.killpg(service.pid, signal.SIGKILL)
        service.communicate(SECONDS_MAX)
    assert service.returncode == -signal.SIGKILL
