"""A refused change: the reason in one line, and the witness that shows it.

For people on a terminal the witness is a small tree below the line, where it says more than the
line does; for programs it is the object that HTTP gives them.
"""

from typing import TYPE_CHECKING

from grantproof.cli.exits import ExitCode, Stop
from grantproof.core.errors import Refusal, RefusedAt, SingleRefusal
from grantproof.core.messages import refusal_message, session_message
from grantproof.policyfile.witnesses import (
    Witness,
    kind_of,
    session_kind_of,
    session_witness_of,
    single,
    witness_of,
)
from grantproof.service.trees import Tree
from grantproof.service.witness_tree import allowed_tree, witness_tree

if TYPE_CHECKING:
    from grantproof.core.sessions import SessionRefusal
    from grantproof.service.guarding import Broken, Unjudged


def refused(refusal: SingleRefusal, *, place: str = "") -> Stop:
    """Return the end of a command whose change is refused; `place` says where it is asked for."""
    reason = refusal_message(refusal)
    document = refused_document(reason, kind_of(refusal), witness_of(refusal))
    return Stop(ExitCode.NO, f"{place}{reason}", document=document, tree=witness_tree(refusal))


def refused_change(refusal: Refusal, *, several: bool) -> Stop:
    """Return the end of a change of one command, or of `several`, of which one is refused."""
    if isinstance(refusal, RefusedAt) and several:
        return refused(refusal.refusal, place=f"command {refusal.position}: ")
    return refused(single(refusal))


def unwilling(refusal: "SessionRefusal") -> Stop:
    """Return the end of a command whose session is not opened or changed."""
    reason = session_message(refusal)
    return refused_session(reason, session_kind_of(refusal), session_witness_of(refusal))


def refused_session(reason: str, code: str, witness: Witness) -> Stop:
    """Return what `unwilling` does, of a refusal that was told."""
    return Stop(ExitCode.NO, reason, document=refused_document(reason, code, witness))


def refused_document(reason: str, code: str, witness: Witness) -> Witness:
    """Return a refusal for programs: the same members whatever was refused."""
    return {"outcome": "refused", "error": reason, "code": code, "witness": witness}


def guard_refused(refused: "Broken | Unjudged", *, place: str = "") -> Stop:
    """Return the end of a command whose change a guardrail forbids, or nobody can tell."""
    from grantproof.service.guarding import Unjudged

    line = f"{place}{refused.message}"
    if isinstance(refused, Unjudged):
        return Stop(ExitCode.UNDETERMINED, f"{line}: nothing was changed")
    document = refused_document(refused.message, "breaks_guardrail", refused.witness)
    would = tuple(map(allowed_tree, refused.witness["requests"]))
    return Stop(ExitCode.NO, line, document=document, tree=Tree("this would be allowed", would))
