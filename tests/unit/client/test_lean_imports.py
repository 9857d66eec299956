"""An application that asks imports nothing of the service: an importer refuses all the rest."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[3] / "src"
REFUSING = """
import sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        allowed = sys.stdlib_module_names | set(sys.argv[1].split(","))
        if name.partition(".")[0] in allowed or name.startswith("_sysconfigdata_"):
            return None
        raise ModuleNotFoundError(f"refused: {name}")

sys.meta_path.insert(0, Refusing())
sys.path.insert(0, sys.argv[2])
exec(sys.argv[3])
own = {name for name in sys.modules if name.startswith("grantproof.")}
print(*sorted(name for name in own if not name.startswith("grantproof.client")))
"""
DECISIONS = "msgspec"
"""What a decision is made of: nothing makes one faster."""
HTTP = f"{DECISIONS} httpx2 httpcore2 anyio h11 idna truststore typing_extensions"
MAKE = "(address='http://localhost', credential='k', organization='acme')"
FASTAPI = (
    f"{DECISIONS} fastapi starlette pydantic pydantic_core annotated_types annotated_doc"
    " typing_inspection typing_extensions anyio idna opentelemetry"
)


def imported(libraries: str, statement: str) -> "subprocess.CompletedProcess[str]":
    """What becomes of a statement where only some libraries can be imported."""
    allowed = ",".join(("grantproof", *libraries.split()))
    return subprocess.run(
        [sys.executable, "-I", "-c", REFUSING, allowed, str(SOURCE), statement],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("libraries", "statement"),
    [
        (DECISIONS, "import grantproof.client.asgi, grantproof.client.wsgi"),
        (HTTP, f"from grantproof.client import AsyncClient, Client; Client{MAKE}.close()"),
        (FASTAPI, "import grantproof.client.fastapi"),
    ],
    ids=["middleware", "clients", "fastapi"],
)
def test_a_client_imports_nothing_of_the_service(libraries: str, statement: str) -> None:
    """Only the standard library, decisions, what speaks HTTP, and what the application has."""
    ended = imported(libraries, statement)
    assert (ended.returncode, ended.stdout.strip()) == (0, ""), ended.stderr


def test_what_is_refused_would_be_found_out() -> None:
    """The engine does import the service."""
    ended = imported("immutables", "import grantproof.client.engine")
    assert ended.returncode != 0
    assert "refused: " in ended.stderr
