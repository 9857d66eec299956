"""Makes TLC start faster: an archive of the classes that it loads, read instead of loading them.

It holds no verdict and no state, only classes, and Java itself refuses one that was made from
another jar or by another Java. It lies in `build`, is made when it is missing, and TLC says the
same without it.
"""

import hashlib
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from specs.tlc.expectations import MODELS
from specs.tlc.jar import Tools

FOLDER: Final = MODELS.parent / "build" / "tlc"
SECONDS_MAX: Final = 60
JAVA_OPTIONS: Final = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For all runs: the first compiler alone starts fastest, and an archive serves one collector."""

# Small, and it uses what the large ones use: invariants, fairness, a temporal property, a loop.
MODULE: Final = """---- MODULE Start ----
EXTENDS Naturals, Sequences, FiniteSets, TLC
CONSTANTS A, B
VARIABLES n, f
Init == n = 0 /\\ f = [x \\in {A, B} |-> <<>>]
Step(x) == n < 3 /\\ n' = n + 1 /\\ f' = [f EXCEPT ![x] = Append(@, n)]
Back == n = 3 /\\ n' = 0 /\\ f' = [x \\in {A, B} |-> <<>>]
Next == (\\E x \\in {A, B} : Step(x)) \\/ Back
Spec == Init /\\ [][Next]_<<n, f>> /\\ \\A x \\in {A, B} : WF_<<n, f>>(Step(x) \\/ Back)
Small == n < 4 /\\ Cardinality(DOMAIN f) = 2
Grows == [][n' # n]_<<n, f>>
Settles == n = 1 ~> n = 5
====
"""
CONFIGURATION: Final = """SPECIFICATION Spec
CONSTANTS A = A B = B
INVARIANT Small
PROPERTIES Grows Settles
"""


def archive(tools: Tools) -> Path:
    """Return where the archive for these tools lies, or would."""
    jar = tools.jar.stat()
    identity = (tools.java, tools.jar, jar.st_size, jar.st_mtime_ns, JAVA_OPTIONS)
    return FOLDER / f"{hashlib.sha256(repr(identity).encode()).hexdigest()[:16]}.aot"


def options(tools: Tools) -> tuple[str, ...]:
    """Return the options of Java for a run: with the archive when there is one."""
    made = archive(tools)
    return (*JAVA_OPTIONS, f"-XX:AOTCache={made}") if made.is_file() else JAVA_OPTIONS


def prepare(tools: Tools) -> None:
    """Make the archive when it is missing; where that fails TLC starts as it did before."""
    made = archive(tools)
    if made.is_file():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="making-", dir=FOLDER) as name:
        folder = Path(name)
        (folder / "Start.tla").write_text(MODULE, encoding="utf-8")
        (folder / "Start.cfg").write_text(CONFIGURATION, encoding="utf-8")
        try:
            subprocess.run(  # noqa: S603 - our own command on our own files
                (
                    tools.java,
                    *JAVA_OPTIONS,
                    "-XX:AOTCacheOutput=new.aot",
                    f"-Djava.io.tmpdir={folder}",
                    *("-cp", tools.jar, "tlc2.TLC", "-deadlock", "-workers", "1", "Start"),
                ),
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS_MAX,
                check=False,
            )
            # Two that make it at the same time each put a whole one in its place.
            (folder / "new.aot").replace(made)
        except (OSError, subprocess.TimeoutExpired):
            return
