"""What is installed is what was locked: every package by version and by hash."""

import re

from tests.repository.checkout import ROOT

PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^ ;\\]+( ; [^\\]+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def loose(lock: str) -> list[str]:
    """The requirements of a lock without an exact version or without a hash."""
    text = re.sub(r"^\s*#.*$", "", lock, flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [line for line in lines if not is_locked(line)]


def is_locked(line: str) -> bool:
    """Whether a requirement has a version and hashes, and nothing else."""
    name, *hashes = re.split(r"\s+(?=--hash)", line)
    all_hashes = len(hashes) > 0 and all(HASH.fullmatch(one.strip()) for one in hashes)
    return PINNED.fullmatch(name.strip()) is not None and all_hashes


def test_every_package_is_locked_by_version_and_hash() -> None:
    """None is taken as it comes, none from an address."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert lock.count("==") > 20
    assert loose(lock) == []


def test_installing_demands_the_hashes() -> None:
    """The environment is made of the lock, and the project itself brings nothing along."""
    installs = [
        line.strip()
        for line in (ROOT / ".ci/venv").read_text(encoding="utf-8").splitlines()
        if line.strip().startswith("install -")
    ]
    assert installs == [
        "install --require-hashes -r requirements.lock",
        "install --no-deps --no-build-isolation -e .",
    ]


def test_loose_finds_what_is_not_locked() -> None:
    """Without a hash, with a range, from an address, with half a hash."""
    whole = "a==1.0 \\\n    --hash=sha256:" + "0" * 64
    assert (
        loose(f"# c\n{whole}\nb[x]==2 ; python_version < '3.12' \\\n  --hash=sha256:{'1' * 64}\n")
        == []
    )
    for spoilt in ("a==1.0", whole.replace("==", ">="), whole[:-1], "https://x/y.whl"):
        assert len(loose(spoilt)) == 1, spoilt
