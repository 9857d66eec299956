"""Starts an example: the service on a database of its own, and the application beside it.

Each is a process, as in production. The application learns from its environment where the service
is, and the keys by which it asks. Ctrl-C ends both, and the database is deleted.
"""

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

FOLDER = Path(__file__).parent
HOST = "127.0.0.1"
GRANTPROOF = Path(sys.executable).with_name("grantproof")
START_SECONDS_MAX = 120
STOP_SECONDS_MAX = 10
LOOK_SECONDS = 0.1


class Failed(Exception):
    """The example cannot run, and why."""


@dataclass(frozen=True, slots=True)
class Example:
    """An application in the folder of its name, the port it listens on, and the keys it is given.

    `keys` says for each variable of its environment which key `grantproof` is to make. Without a
    `policy` the service starts with no organization.
    """

    name: str
    port: int
    keys: Mapping[str, Sequence[str]]
    policy: str | None = "policy.yaml"


@dataclass(frozen=True, slots=True)
class Running:
    """A process that answers at an address."""

    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"

    def is_ready(self, path: str) -> bool:
        """Whether it answers a GET of that path with 200 by now."""
        with closing(HTTPConnection(HOST, self.port, timeout=START_SECONDS_MAX)) as connection:
            try:
                connection.request("GET", path)
                return connection.getresponse().status == HTTPStatus.OK
            except (OSError, HTTPException):
                return False


def main(example: Example) -> None:
    """Run the example until Ctrl-C, or until it is told to stop, and exit."""
    parser = argparse.ArgumentParser(prog=f"python -m examples.{example.name}")
    default = os.environ.get("PORT", example.port)
    parser.add_argument("--port", type=int, default=default, help="default: $PORT, or %(default)s")
    port: int = parser.parse_args().port
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.default_int_handler)
    try:
        run(example, free_port(port))
    except KeyboardInterrupt:
        print("stopped", flush=True)
    except Failed as failed:
        sys.exit(f"examples.{example.name}: {failed}")


def run(example: Example, port: int) -> None:
    """Start the service and the application, say what to try, and wait for the application."""
    with tempfile.TemporaryDirectory(prefix="grantproof-example-") as folder:
        ours = {name: value for name, value in os.environ.items() if "GRANTPROOF" not in name}
        stored = {**ours, "GRANTPROOF_DATABASE_URL": f"{folder}/grantproof.db"}
        if example.policy is not None:
            grantproof("import", str(FOLDER / example.name / example.policy), environment=stored)
        keys = {
            name: grantproof(*arguments, environment=stored)
            for name, arguments in example.keys.items()
        }
        serving = {**stored, "GRANTPROOF_LOG_LEVEL": "warning"}
        asking = {**ours, **keys}
        # What any FastAPI application runs under.
        module = f"examples.{example.name}.application:app"
        server = (sys.executable, "-m", "uvicorn", module, "--log-level=warning")
        with (
            started((str(GRANTPROOF), "serve"), free_port(0), serving) as beside,
            started(server, port, {**asking, "GRANTPROOF_SERVER": beside.address}) as it,
        ):
            wait_for(beside, "/readyz")
            wait_for(it, "/openapi.json")
            tell(example, beside, it)
            watch(beside, it)


def grantproof(*arguments: str, environment: Mapping[str, str]) -> str:
    """Return what the command line prints, as an operator on the machine would see it."""
    done = subprocess.run(
        [GRANTPROOF, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Failed(done.stderr.strip())
    return done.stdout.strip()


@contextmanager
def started(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[Running]:
    """Run a process of our own; it is told to stop at the end, and killed if it does not."""
    # In a group of its own, so that Ctrl-C reaches us only, and we end both in their order.
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=FOLDER.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        yield Running(process, port)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(running: Running, path: str) -> None:
    """Return when the process answers; raise `Failed` when it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while not running.is_ready(path):
        if running.process.poll() is not None or time.monotonic() > deadline:
            message = f"nothing answers on {running.address}: see above"
            raise Failed(message)
        time.sleep(LOOK_SECONDS)


def watch(beside: Running, it: Running) -> None:
    """Wait for the application. That the service ends is told, and ends nothing: see what comes."""
    told = False
    while it.process.poll() is None:
        if not told and beside.process.poll() is not None:
            print("the service has ended: everything is refused now, with 503", flush=True)
            told = True
        time.sleep(LOOK_SECONDS)
    message = "the application has ended: see above"
    raise Failed(message)


def tell(example: Example, beside: Running, it: Running) -> None:
    """Print where both are, and what to try: the lines of README.md, for the port that it is."""
    print(f"service:     {beside.address} (process {beside.process.pid})")
    print(f"application: {it.address} (process {it.process.pid}), stop both with Ctrl-C")
    print("try in another shell:\n")
    print(to_try(example).replace(f"localhost:{example.port}", f"localhost:{it.port}"))
    print(f"# The service is gone: 503, nobody is let in.\nkill {beside.process.pid}", flush=True)


def to_try(example: Example) -> str:
    """Return the shell lines in the section of README.md about the example."""
    section = re.search(
        rf"^\$ make example-{example.name}\b.*?^```sh\n(.*?)^```$",
        (FOLDER / "README.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
    if section is None:
        message = f"README.md has nothing to try of `{example.name}`"
        raise Failed(message)
    return section[1]


def free_port(port: int) -> int:
    """Return the port if nobody listens on it, or any such port for 0; raises `Failed`."""
    try:
        with closing(socket.create_server((HOST, port))) as found:
            return int(found.getsockname()[1])
    except (OSError, OverflowError):
        message = f"port {port} is not free: choose another with --port, or 0 for any"
        raise Failed(message) from None
