------------------------------ MODULE BrokenRules ------------------------------
(******************************************************************************)
(* The rules of Administration done wrong: each definition replaces one of    *)
(* Administration in a configuration beside this file, which TLC must refute. *)
(******************************************************************************)
EXTENDS MCAdministration

\* NoCycleGuard, DeleteUnchecked: one ground for refusal forgotten.
Forgotten(o, c) == FALSE

\* DirectRolesOnly: separation of duty counts assignments, not what they inherit.
CountsAssignments(o, c) ==
    \E principal \in Principals, sod_set \in o.sod_sets :
        Exceeds(sod_set, PolicyApplied(o, c).assignments[principal])

\* AddParentUnchecked, NewSetUnchecked: one command does not check separation of duty.
AllButAddParent(o, c) == c.type # "AddParent" /\ BreaksSod(PolicyApplied(o, c))

AllButCreateSodSet(o, c) == c.type # "CreateSodSet" /\ BreaksSod(PolicyApplied(o, c))

\* TwoRevisions: assignments have one revision, the role graph another, and a command compares the
\* one of what it writes. Sets and deletions compare and move both, so they are not what goes wrong.
\* Between a reading and its commit there is at most one other change here, so a part has its old
\* revision exactly if it has its old content.
OwnRevisionFresh(a) ==
    LET before == snapshot[a].organization
        UnchangedBeside(part) == before = [organization EXCEPT ![part] = before[part]]
    IN CASE command[a].type \in {"AssignRole", "RevokeRole"} -> UnchangedBeside("parents")
         [] command[a].type \in {"AddParent", "RemoveParent"} -> UnchangedBeside("assignments")
         [] OTHER -> before = organization

\* Starvation: everybody proposes again and again, and lost races are not counted. Revisions are
\* counted 0, 1, 0, ... to keep the run finite; that can only make a loser look fresh, and help it.
OneAssignment ==
    [type : {"AssignRole", "RevokeRole"}, principal : Principals, role : {Viewer}]

ProposeAgain(a) ==
    /\ phase[a] \in {"idle"} \cup Outcomes
    /\ \E c \in Commands : command' = [command EXCEPT ![a] = c]
    /\ phase' = [phase EXCEPT ![a] = "deciding"]
    /\ snapshot' = [snapshot EXCEPT ![a] = Current]
    /\ UNCHANGED <<organization, revision, attempts>>

NotCounted(a) == 0

RoundRevision == 1 - revision
================================================================================
