"""The packages of a release: what is in them, that they are the same twice, that they work alone.

Nothing is downloaded: what the packages stand on is seen through the environment of the tests.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.parser import Parser
from http.client import HTTPConnection
from pathlib import Path

import pytest

from deploy.release.__main__ import SUMS, build, release
from deploy.release.bill import bill, installable
from deploy.release.locked import ROOT, needed, of_checkout, packages_of
from grantproof import __version__
from grantproof.adapters.verification import STAGES, core_digest
from tests.api.service import READ_DOCS
from tests.e2e.test_stopping import JSON
from tests.processes import free_port

PACKAGE = ROOT / "src" / "grantproof"
WHEEL = f"grantproof-{__version__}-py3-none-any.whl"
SECONDS_MAX = 60
EPOCH = "1780000000"


def files_of(folder: Path) -> set[str]:
    """The files of the package that are no leftovers of running it."""
    return {
        str(path.relative_to(folder.parent))
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source of this checkout."""
    folder = tmp_path_factory.mktemp("made")
    build(folder)
    return folder


def wheel_of(folder: Path) -> Path:
    """The one wheel in a folder."""
    (found,) = folder.glob("*.whl")
    return found


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and a folder outside the checkout to run it in."""

    programs: Path
    folder: Path
    packages: Path

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of ours, and nothing that leads to the checkout."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if "GRANTPROOF" not in name and not name.startswith(("PYTHON", "OTEL"))
        }
        return {**kept, "HOME": str(self.folder)}

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs."""
        return subprocess.run(
            [self.programs / words[0], *words[1:]],
            cwd=self.folder,
            env=self.environment | settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_MAX,
        )


@pytest.fixture(scope="module")
def installed(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in a fresh environment; what it needs is seen through that of the tests."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    # Only a folder: a `.pth` file in it, as of an editable install, is not followed from here.
    (packages / "locked.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n")
    pip = (sys.executable, "-m", "pip", "--python", folder / "venv", "install", "--quiet")
    alone = ("--no-deps", "--no-index", "--no-compile")
    subprocess.run((*pip, *alone, wheel_of(made)), check=True, capture_output=True)
    (folder / "work").mkdir()
    return Installed(folder / "venv" / "bin", folder / "work", packages)


def test_the_wheel_holds_the_package_and_nothing_else(made: Path) -> None:
    """Every file of it, data and the mark of its types too; the licence; no test."""
    with zipfile.ZipFile(wheel_of(made)) as wheel:
        names = set(wheel.namelist())
    inside = {name for name in names if not name.startswith("grantproof-")}
    assert inside == files_of(PACKAGE)
    assert {"grantproof/py.typed", "grantproof/adapters/sql/migrations/env.py"} <= inside
    beside = {name.partition("/")[2] for name in names - inside}
    assert beside == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def test_the_source_holds_the_checkout_and_makes_the_same_wheel(made: Path, tmp_path: Path) -> None:
    """To the byte: whoever has the source can check the wheel. Its proofs and tests come along."""
    (archive,) = made.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(tmp_path, filter="data")
    unpacked = tmp_path / archive.name.removesuffix(".tar.gz")
    for name in ("specs/__main__.py", "tests/conftest.py", "Makefile", "docs/adr"):
        assert (unpacked / name).exists(), name
    assert not list(unpacked.rglob("*.pyc"))
    with tarfile.open(archive) as source:
        instant = str(int(source.getmembers()[0].mtime))
    done = subprocess.run(
        (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "again"),
        cwd=unpacked,
        env=os.environ | {"SOURCE_DATE_EPOCH": instant},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert wheel_of(tmp_path / "again").read_bytes() == wheel_of(made).read_bytes()


def test_two_builds_are_the_same_to_the_byte(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another copy of the checkout, at another instant; and the instant can be said."""
    copy = shutil.copytree(
        ROOT,
        tmp_path / "copy",
        ignore=shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache"),
    )
    (copy / "src" / "grantproof" / "settings.py").touch()
    with tarfile.open(next(made.glob("*.tar.gz"))) as source:
        instant = str(int(source.getmembers()[0].mtime))
    digests = []
    for epoch in (instant, EPOCH):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        build(tmp_path / epoch, source=copy)
        digests.append({one.name: one.read_bytes() for one in (tmp_path / epoch).iterdir()})
    assert digests[0] == {one.name: one.read_bytes() for one in made.iterdir()}
    assert digests[0] != digests[1]


def test_the_metadata_says_what_it_is(made: Path) -> None:
    """The version that the program says, the extras, the licence, and a page of plain Markdown."""
    with zipfile.ZipFile(wheel_of(made)) as wheel:
        text = wheel.read(f"grantproof-{__version__}.dist-info/METADATA").decode()
    told = Parser().parsestr(text)
    assert (told["Name"], told["Version"]) == ("grantproof", __version__)
    assert (told["License-Expression"], told["License-File"]) == ("Apache-2.0", "LICENSE")
    assert told["Requires-Python"] == ">=3.11"
    assert {"postgres", "otel"} <= set(told.get_all("Provides-Extra", []))
    assert told["Description-Content-Type"] == "text/markdown"
    assert str(told.get_payload()).startswith("# Grantproof")
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", __version__)


def test_the_installed_program_is_the_one_of_the_wheel(installed: Installed) -> None:
    """It is not the checkout that answers."""
    where = installed.run("python", "-c", "import grantproof; print(grantproof.__file__)")
    assert Path(where.stdout.strip()).is_relative_to(installed.packages)
    told = installed.run("grantproof", "--help")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Usage: grantproof")
    asked = "from grantproof.client import Client, Engine; print(Client.__name__)"
    assert installed.run("python", "-W", "error", "-c", asked).stdout == "Client\n"


@contextmanager
def demo(installed: Installed, port: int) -> Iterator[subprocess.Popen[str]]:
    """The demo of the installed program, listening."""
    process = subprocess.Popen(
        [installed.programs / "grantproof", "serve", "--demo", "--port", str(port)],
        cwd=installed.folder,
        env=installed.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("DEMO")
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_installed_service_answers(installed: Installed) -> None:
    """Migrations, pages and documents are found where it was installed, and every route is up."""
    port = free_port()
    with demo(installed, port):
        connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS_MAX)
        with closing(connection):
            for path in ("/readyz", "/openapi.json", "/docs"):
                connection.request("GET", path)
                response = connection.getresponse()
                assert (response.status, response.read() != b"") == (200, True), path
            connection.request("POST", "/evaluate", json.dumps(READ_DOCS), JSON)
            assert json.load(connection.getresponse())["decision"] == "Allow"
        listed = installed.run("grantproof", "--org", "acme", "role", "list", "--json")
        assert "viewer" in {role["id"] for role in json.loads(listed.stdout)}


@pytest.mark.parametrize(
    ("absent", "words", "settings", "line"),
    [
        (
            "psycopg",
            ("org", "list"),
            {
                "GRANTPROOF_DATABASE_URL": "postgresql://nobody@127.0.0.1/nothing",
                "GRANTPROOF_AUDIT_KEY_FILE": str(ROOT / "tests" / "audit-key"),
            },
            "PostgreSQL needs the package psycopg: pip install 'grantproof[postgres]'",
        ),
        (
            "opentelemetry",
            ("serve",),
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"},
            "the environment asks for traces: pip install 'grantproof[otel]', or unset OTEL_*",
        ),
    ],
)
def test_an_extra_that_is_missing_is_named(
    absent: str, words: tuple[str, ...], settings: dict[str, str], line: str, installed: Installed
) -> None:
    """One line with the command that brings it; everything else works without."""
    hidden = installed.packages / "sitecustomize.py"
    hidden.write_text(f"import sys; sys.modules[{absent!r}] = None\n")
    try:
        ended = installed.run("grantproof", *words, **settings)
        assert (ended.stdout, ended.stderr) == ("", f"{line}\n")
        assert ended.returncode in {2, 3}
        made = installed.run("grantproof", "org", "create", f"without-{absent}")
        assert (made.returncode, made.stderr) == (0, "")
    finally:
        hidden.unlink()


def test_the_bill_has_what_serves_with_its_licence_and_nothing_else() -> None:
    """Twice the same, without a number or an instant; every reference leads somewhere."""
    packages = of_checkout("serve")
    found = bill(packages)
    assert found == bill(packages)
    assert "serialNumber" not in found
    assert "timestamp" not in found["metadata"]
    told = {re.sub(r"[-_.]+", "-", one["name"]).lower(): one for one in found["components"]}
    assert {name: one["version"] for name, one in told.items()} == installable(packages)
    assert all(one["licenses"] and one["purl"].startswith("pkg:") for one in told.values())
    itself = found["metadata"]["component"]
    assert (itself["name"], itself["version"]) == ("grantproof", __version__)
    references = {one["bom-ref"] for one in found["components"]}
    needs = {one["ref"]: one.get("dependsOn", []) for one in found["dependencies"]}
    assert needs.keys() == references | {"root-component"}
    assert all(set(wants) <= references for wants in needs.values())
    assert any(one.startswith("fastapi==") for one in needs["root-component"])


def test_a_package_that_is_not_as_it_is_locked_is_told() -> None:
    """The bill is of the lock, not of whatever happens to be installed."""
    absent = packages_of("alpha==1.0 \\\n    --hash=sha256:aa\n")
    with pytest.raises(ValueError, match="not installed: alpha: run make again"):
        bill(needed("alpha==1.0 \\\n    --hash=sha256:aa\n", {absent[0].name}))
    other = packages_of("typer==0.0.1 \\\n    --hash=sha256:aa\n")
    with pytest.raises(ValueError, match=r"`typer` is .* here and 0\.0\.1 in the lock"):
        bill(other)


def test_a_release_is_packages_a_bill_and_their_digests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sha256sum --check` accepts it; what was in the folder is gone."""
    monkeypatch.setattr("deploy.release.bill.validate", lambda _: None)
    monkeypatch.setattr("deploy.release.__main__.REPORT", tmp_path / "none.json")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "old.whl").touch()
    names = {one.name for one in release(tmp_path / "dist")}
    stem = f"grantproof-{__version__}"
    packages = {f"{stem}-py3-none-any.whl", f"{stem}.tar.gz", f"{stem}.cdx.json"}
    assert names == {*packages, SUMS} == {one.name for one in (tmp_path / "dist").iterdir()}
    lines = (tmp_path / "dist" / SUMS).read_text().splitlines()
    assert sorted(lines) == sorted(
        f"{hashlib.sha256((tmp_path / 'dist' / name).read_bytes()).hexdigest()}  {name}"
        for name in packages
    )


@pytest.mark.parametrize("core", ["this", "other"])
def test_a_report_comes_along_when_it_is_about_this_source(
    core: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of another source, or of a run that left something out, is not shipped."""
    report = tmp_path / "report.json"
    stages = [{"name": name, "passed": True} for name in STAGES]
    digest = core_digest() if core == "this" else "0" * 64
    report.write_text(
        json.dumps({"passed": True, "stages": stages, "origin": {"core": digest}}), "utf-8"
    )
    monkeypatch.setattr("deploy.release.__main__.REPORT", report)
    monkeypatch.setattr("deploy.release.__main__.build", lambda to: (to / WHEEL).touch())
    monkeypatch.setattr("deploy.release.bill.write", Path.touch)
    names = {one.name for one in release(tmp_path / "dist")}
    shipped = f"grantproof-{__version__}.verification.json"
    assert (shipped in names) is (core == "this")
    if core == "this":
        assert (tmp_path / "dist" / shipped).read_bytes() == report.read_bytes()
        assert shipped in (tmp_path / "dist" / SUMS).read_text()
