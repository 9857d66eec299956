"""The examples as whoever tries them: started by their one command, asked over HTTP, stopped.

Each test is one whole story, for to start an example takes seconds.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.several import is_alive
from tests.processes import PROGRAM
from tests.repository.checkout import ROOT

PATIENCE_SECONDS = 300
PORTS = {"documents": 8001, "expenses": 8002, "tenants": 8003}
READY = Path(sys.prefix) / ".installed"
README = (ROOT / "examples" / "README.md").read_text()


@dataclass
class Example:
    """An example that runs: its processes, what it printed, and a client of the application."""

    process: "subprocess.Popen[str]"
    temporary: Path
    http: httpx2.Client
    printed: list[str] = field(default_factory=list)
    port: int = 0
    service: int = 0
    application: int = 0

    def started(self) -> None:
        """Read what is printed until it says what to try."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line)
            if line.startswith("kill "):
                break
        text = "".join(self.printed)
        found = re.findall(r"http://127\.0\.0\.1:(\d+) \(process (\d+)\)", text)
        assert len(found) == 2, text
        (_, service), (port, application) = found
        self.port, self.service, self.application = int(port), int(service), int(application)

    @property
    def to_try(self) -> str:
        """The lines that it said to try, up to those about its own processes."""
        text = "".join(self.printed).partition("try in another shell:\n\n")[2]
        return text.partition("\n# The service is gone")[0]

    def ask(self, method: str, path: str, user: str | None = None, **body: Any) -> tuple[int, Any]:
        """The status and the document of an answer to that user."""
        headers = {} if user is None else {"X-User": user}
        address = f"http://127.0.0.1:{self.port}{path}"
        answer = self.http.request(method, address, headers=headers, json=body or None)
        return answer.status_code, answer.json() if answer.content else None

    def statuses(self, *asked: tuple[str, str, str]) -> list[int]:
        """The statuses of answers to a method, a path and a user each."""
        return [self.ask(method, path, user)[0] for method, path, user in asked]

    def lose_service(self) -> None:
        """Kill the service, and see that it is told."""
        os.kill(self.service, signal.SIGKILL)
        assert self.process.stdout is not None
        assert "everything is refused now" in self.process.stdout.readline()

    def interrupt(self) -> str:
        """Press Ctrl-C, which every process of the terminal's group gets; what is printed then."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.ended()

    def ended(self) -> str:
        """What is printed until all has ended. Nothing is left: no process, port or file."""
        rest, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        assert not is_alive(self.service)
        assert not is_alive(self.application)
        with pytest.raises(httpx2.ConnectError):
            self.ask("GET", "/openapi.json")
        assert list(self.temporary.iterdir()) == []
        return rest


@contextmanager
def running(command: Sequence[str | Path], folder: Path) -> Iterator[Example]:
    """An example that was started by the command, on any port; killed if it still runs."""
    temporary = folder / "temporary"
    temporary.mkdir()
    # Who runs the tests by `make` says nothing to the `make` of a user.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**kept, "PORT": "0", "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    watchdog = threading.Timer(PATIENCE_SECONDS, os.killpg, (process.pid, signal.SIGTERM))
    watchdog.start()
    try:
        with httpx2.Client(timeout=60, trust_env=False) as http:
            example = Example(process, temporary, http)
            example.started()
            yield example
    finally:
        watchdog.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.communicate()


def by_make(name: str) -> list[str | Path]:
    """The one command, with this environment in the place of `.venv`, taken as it is."""
    return ["make", f"example-{name}", f"VENV={sys.prefix}", f"--old-file={READY}"]


def documented(name: str) -> str:
    """The lines to try that README.md has about an example."""
    section = README.partition(f"$ make example-{name}\n")[2]
    return section.partition("```sh\n")[2].partition("```")[0]


def tried(lines: str, home: Path, *, example: Example, port: int) -> list[tuple[str, str]]:
    """Of each line what it says will be answered and what was, when a shell runs it as it stands.

    The port in the lines may be another's on this machine: curl is told where to go instead.
    """
    (home / ".curlrc").write_text(f'connect-to = "localhost:{port}:127.0.0.1:{example.port}"\n')
    found = []
    said = ""
    for line in lines.splitlines():
        if line.startswith("# "):
            said = line[2:5]
            continue
        done = subprocess.run(
            ["sh", "-c", line],
            env={**os.environ, "CURL_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        found.append((f"{said} {line}", f"{done.stdout.split()[1]} {line}"))
        said = "nothing"
    return found


def follow_readme(example: Example, name: str, home: Path) -> None:
    """Run every line of README.md, and see that it is answered what it says; and is printed."""
    lines, port = documented(name), PORTS[name]
    assert example.to_try.replace(f"localhost:{example.port}", f"localhost:{port}") == lines
    results = tried(lines, home, example=example, port=port)
    assert len(results) >= 8
    assert [answered for _, answered in results] == [said for said, _ in results]


def test_documents(tmp_path: Path) -> None:
    """Read, listed, edited, made and deleted by whom the policy lets; by nobody without service."""
    with running(by_make("documents"), tmp_path) as example:
        ask = example.ask
        follow_readme(example, "documents", tmp_path)
        wrong = "# 200: a line that says what is not so\ncurl -i localhost:8001/documents\n"
        ((said, answered),) = tried(wrong, tmp_path, example=example, port=8001)
        assert (said[:3], answered[:3]) == ("200", "401")
        assert ask("GET", "/documents", "vic") == (200, ["holidays", "welcome"])
        assert ask("GET", "/documents", "bea") == (200, ["merger"])
        assert ask("GET", "/documents", "zed") == (200, [])
        assert ask("GET", "/documents/welcome", "olga") == (200, {"text": "Tea."})
        # What is not one's own and what is not there are the same answer.
        status, told = ask("GET", "/documents/merger", "vic")
        assert (status, told["detail"]) == (403, "you are not allowed to do this")
        assert ask("GET", "/documents/nothing", "vic") == (status, told)
        assert ask("GET", "/documents/merger", "zed") == (status, told)
        plan = {"name": "plan", "text": "Now."}
        assert ask("POST", "/folders/staff/documents", "otto", **plan)[0] == 201
        # It is in the folder at once, for whoever may read what is there.
        assert ask("GET", "/documents", "vic")[1] == ["holidays", "plan", "welcome"]
        assert ask("POST", "/folders/staff/documents", "olga", **plan)[0] == 409
        assert ask("POST", "/folders/board/documents", "olga", **plan)[0] == 403
        assert ask("GET", "/documents/plan", "vic") == (200, {"text": "Now."})
        asked = [("DELETE", "/documents/plan", user) for user in ("vic", "ed", "olga", "otto")]
        assert example.statuses(*asked) == [403, 403, 403, 204]
        example.lose_service()
        status, told = ask("GET", "/documents/welcome", "vic")
        assert (status, told["title"]) == (503, "Service Unavailable")
        assert example.statuses(
            ("GET", "/documents", "vic"),
            ("DELETE", "/documents/welcome", "olga"),
            ("GET", "/documents/welcome", "zed"),
        ) == [503, 503, 503]
        assert "stopped\n" in example.interrupt()


def test_expenses(tmp_path: Path) -> None:
    """Two people for what is large, a quota, and unsafe roles refused with their witness."""
    with running(by_make("expenses"), tmp_path) as example:
        ask = example.ask
        follow_readme(example, "expenses", tmp_path)
        status, told = ask("GET", "/expenses", "sue")
        assert (status, ask("GET", "/expenses", "erin")[0]) == (200, 403)
        assert [(one["endorsed_by"], one["approved_by"]) for one in told] == [
            (None, "ann"),
            ("ann", "dan"),
            (None, None),
        ]
        # The quota is each one's own, and 1,000 is small.
        for amount in (1000, 1001):
            assert ask("POST", "/expenses", "sue", what="bus", amount=amount)[0] == 201
        assert example.statuses(
            ("POST", "/expenses/4/approval", "dan"),
            ("POST", "/expenses/4/approval", "ann"),
            ("POST", "/expenses/5/approval", "ann"),
            ("POST", "/expenses/5/endorsement", "sue"),
            ("POST", "/expenses/9/endorsement", "ann"),
            ("PUT", "/people/sue/roles/employee", "sam"),
            ("PUT", "/people/sue/roles/employee", "erin"),
        ) == [403, 200, 403, 403, 403, 403, 200]
        # What was approved or endorsed stays so. Who may do neither does not learn that.
        approved = (409, {"detail": "expense 4 was approved by ann already"})
        endorsed = (409, {"detail": "expense 5 was endorsed by ann already"})
        assert ask("POST", "/expenses/5/endorsement", "ann")[0] == 200
        before = ask("GET", "/expenses", "sue")
        assert ask("POST", "/expenses/4/approval", "ann") == approved
        assert ask("POST", "/expenses/4/endorsement", "ann") == approved
        assert ask("POST", "/expenses/5/endorsement", "ann") == endorsed
        assert ask("POST", "/expenses/4/approval", "sue")[0] == 403
        assert ask("GET", "/expenses", "sue") == before
        status, told = ask("PUT", "/people/sam/roles/approver", "erin")
        witness = told["witness"]
        assert (status, witness["kind"], witness["sod_set"]) == (409, "breaks_sod", "one-part-each")
        assert (witness["principal"], witness["roles"]) == ("sam", ["approver", "submitter"])
        assert ask("POST", "/expenses/3/approval", "sam")[0] == 403
        status, told = ask("PUT", "/people/ann/roles/director", "erin")
        assert (status, told["witness"]["principal"]) == (409, "ann")
        status, told = ask("PUT", "/people/erin/roles/director", "erin")
        assert (status, told["witness"]["guardrail"]["id"]) == (409, "staffing-approves-nothing")
        assert told["witness"]["requests"][0]["request"]["principal_id"] == "erin"
        example.lose_service()
        assert ask("POST", "/expenses", "sue", what="bus", amount=1)[0] == 503
        assert example.statuses(
            ("GET", "/expenses", "sue"),
            ("POST", "/expenses/3/approval", "ann"),
            ("PUT", "/people/sue/roles/employee", "erin"),
        ) == [503, 503, 503]
        assert "stopped\n" in example.interrupt()


def test_tenants(tmp_path: Path) -> None:
    """Tenants sign up, invite and give roles, and no way leads from one to another."""
    with running(by_make("tenants"), tmp_path) as example:
        ask = example.ask
        follow_readme(example, "tenants", tmp_path)
        own = {"text": "of globex"}
        assert ask("PUT", "/projects/site", "gus@globex", **own) == (200, own)
        assert ask("PUT", "/projects/plan", "gus@globex", **own) == (200, own)
        # The same name is another project in each.
        assert ask("GET", "/projects/site", "ann@acme") == (200, {"text": "of bob"})
        assert ask("GET", "/projects/site", "gus@globex") == (200, own)
        assert ask("GET", "/projects", "bob@acme") == (200, ["site"])
        assert ask("GET", "/projects", "gus@globex") == (200, ["plan", "site"])
        assert ask("GET", "/projects", "ann@globex") == (200, [])
        tries = ("gus@globex", "ann@globex", "gus@acme")
        assert [ask("PUT", "/projects/plan", user, **own)[0] for user in tries] == [200, 403, 403]
        assert example.statuses(
            ("GET", "/projects/plan", "ann@acme"),
            ("GET", "/projects/globex%2Fplan", "ann@acme"),
            ("GET", "/projects/..%2Fglobex%2Fplan", "ann@acme"),
            ("GET", "/projects/plan", "ann@nowhere"),
            ("GET", "/projects/plan", "ann@acme@globex"),
            ("GET", "/projects/plan", "gus@GLOBEX"),
        ) == [404, 404, 404, 401, 422, 422]
        # An administrator of one is nobody in the other, and gives nobody of it a role.
        assert ask("POST", "/people", "bob@acme", person="eve")[0] == 403
        assert ask("POST", "/people", "gus@acme", person="eve")[0] == 403
        assert example.statuses(
            ("PUT", "/people/bob/roles/administrator", "gus@globex"),
            ("PUT", "/people/bob/roles/administrator", "gus@acme"),
            ("PUT", "/people/bob/roles/administrator", "bob@acme"),
        ) == [409, 403, 403]
        assert ask("POST", "/people", "gus@globex", person="bob")[0] == 201
        assert ask("PUT", "/projects/plan", "bob@globex", **own)[0] == 403
        keys = [
            ask("POST", "/tenants", tenant=tenant, administrator="ann")[1]["key"]
            for tenant in ("initech", "umbrella")
        ]
        assert len(set(keys)) == 2
        example.lose_service()
        assert ask("POST", "/tenants", tenant="late", administrator="ann")[0] == 503
        assert example.statuses(
            ("GET", "/projects/site", "ann@acme"),
            ("GET", "/projects", "ann@acme"),
            ("PUT", "/people/bob/roles/member", "ann@acme"),
        ) == [503, 503, 503]
        # Without the application there is nothing to run for.
        os.kill(example.application, signal.SIGKILL)
        assert example.ended() == ""
        assert example.process.returncode != 0


def test_both_processes_end_when_only_the_first_is_told_to(tmp_path: Path) -> None:
    """As a supervisor does: one signal to the process that was started, which exits with 0."""
    with running([sys.executable, "-m", "examples.tenants"], tmp_path) as example:
        assert is_alive(example.service)
        assert is_alive(example.application)
        example.process.send_signal(signal.SIGINT)
        assert example.process.wait(PATIENCE_SECONDS) == 0
        assert not is_alive(example.service)
        assert not is_alive(example.application)
        assert list(example.temporary.iterdir()) == []


def test_a_port_in_use_is_one_line() -> None:
    """Nothing is started then, and the line says what to do."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "examples.documents", "--port", str(port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"examples.documents: port {port} is not free: choose another with --port, or 0 for any\n"
    )


@pytest.mark.parametrize("name", PORTS)
def test_a_policy_passes_its_own_gate(name: str) -> None:
    """`grantproof verify` finds tests and guardrails in the folder, and all of them hold."""
    done = subprocess.run(
        [PROGRAM, "verify", f"examples/{name}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    stages = dict(re.findall(r"^(\w+) +(passed|failed|not run)", done.stdout, re.MULTILINE))
    assert done.returncode == 0, done.stdout
    assert stages == {
        "check": "passed",
        "test": "passed",
        "guardrails": "passed",
        "diff": "not run",
        "warnings": "passed",
    }
