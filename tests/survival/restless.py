"""The service whose checks of whole states hardly rest: `python -m tests.survival.restless serve`.

After a check it rests several times as long as that took: a minute, after one that hung for as long
as it may. Whoever tests what comes next would wait for that, and on a slow machine in vain.
"""

from typing import Final
from unittest.mock import patch

from grantproof.api import checking
from grantproof.cli.main import main

RESTS: Final = 0.2

if __name__ == "__main__":
    with patch.object(checking, "RESTS", RESTS):
        main()
