"""`grantproof policy check`: everything that is wrong with policy files, each in its place."""

from typing import TYPE_CHECKING

from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.operator import Operator
from grantproof.cli.output import tell, tell_json
from grantproof.cli.policy_files import Paths
from grantproof.cli.progress import progress
from grantproof.client.policy_paths import Unreadable, gather

if TYPE_CHECKING:
    from grantproof.policyfile.policy_problems import FiledProblem


def check(operator: Operator, paths: Paths) -> None:
    """Tell every problem of policy files: file, line, column, the rule, the nearest valid name.

    The files are read as one policy, which is tried on paper; no database is opened.
    Exit code 0 without a problem, 1 with one, 2 when a file cannot be read.
    """
    from grantproof.policyfile.organization_document import OrganizationDocument
    from grantproof.service.policy_checks import check_policy

    with progress() as bar:
        reading = gather(paths)
        # What refers to a file that cannot be read would be called wrong too.
        found = () if reading.unreadable else check_policy(reading.texts, told=bar.step)
    if isinstance(found, OrganizationDocument):
        if operator.json:
            tell_json([])
        else:
            count = len(reading.texts)
            files = "1 file" if count == 1 else f"{count} files"
            tell(f"organization `{found.id}` in {files}: no problems")
        return
    problems: list[Unreadable | FiledProblem] = [*reading.unreadable, *found]
    if operator.json:
        tell_json([problem.written() for problem in problems])
    code = ExitCode.USAGE if reading.unreadable else ExitCode.NO
    raise Stop(code, *(problem.message for problem in problems))
