--------------------------- MODULE OptimisticLocking ---------------------------
(******************************************************************************)
(* How several administrators change one organization at the same time.       *)
(*                                                                            *)
(* A proposal reads a snapshot, that is a revision r and the state at r. It   *)
(* decides on that state and on nothing else. It takes effect only if the     *)
(* revision is still r: the compare-and-set, one atomic SQL statement. Whoever*)
(* finds another revision has lost a race: it catches up, decides anew, and   *)
(* after a bounded number of lost races tells the caller "contended", with    *)
(* nothing changed. A refusal counts only if the state that refuses is still  *)
(* the current one.                                                           *)
(*                                                                            *)
(* Why it is safe: a change takes effect on exactly the state it was decided  *)
(* on. So the changes happen one after the other, in the order of their       *)
(* revisions, however the readings interleave, and what every single command  *)
(* keeps, all of them together keep. That needs ONE revision for everything a *)
(* decision reads; see broken/TwoRevisions.cfg.                               *)
(*                                                                            *)
(* Deciding takes no step of its own: it is a function of the snapshot, so    *)
(* nobody can tell when it happened. A process that follows the events late   *)
(* reads an old revision; that is the same as having read early.              *)
(*                                                                            *)
(* The rules (which commands there are, what they refuse, what they do) are   *)
(* parameters: RBACPolicyChange and Administration give them. Each            *)
(* administrator proposes once, on any valid organization: README.md says     *)
(* what that covers and what it does not.                                     *)
(******************************************************************************)
EXTENDS Naturals, FiniteSets

CONSTANTS
    Administrators,   \* who proposes changes, each from a process of its own
    AttemptsMax,      \* how often a proposal is tried before the caller is told
    Nothing,          \* no command, no snapshot, no refusal
    Organizations,    \* the organizations that a run may start from
    Commands,         \* what an administrator may propose
    Refusal(_, _),    \* (organization, command): the ground for refusal, or Nothing
    Applied(_, _)     \* (organization, command): the organization after the command

VARIABLES
    organization,     \* the stored facts
    revision,         \* the one version of everything in `organization`
    phase,            \* how far each administrator's proposal is, at last its outcome
    command,          \* what each administrator proposes
    snapshot,         \* the revision and the facts that each proposal is decided on
    attempts          \* how many races each proposal has lost

vars == <<organization, revision, phase, command, snapshot, attempts>>

Grounds == {"Missing", "AlreadyExists", "WouldCycle", "NamedBySodSet", "StillReferenced",
            "BreaksSod"}
Outcomes == {"accepted", "contended"} \cup Grounds
Phases == {"idle", "deciding", "retrying"} \cup Outcomes

TypeOK ==
    /\ revision \in 0..Cardinality(Administrators)
    /\ phase \in [Administrators -> Phases]
    /\ attempts \in [Administrators -> 0..AttemptsMax - 1]
    /\ \A a \in Administrators :
        /\ (command[a] = Nothing) = (phase[a] \in {"idle"} \cup Outcomes)
        /\ (snapshot[a] = Nothing) = (phase[a] # "deciding")

Init ==
    /\ organization \in Organizations
    /\ revision = 0
    /\ phase = [a \in Administrators |-> "idle"]
    /\ command = [a \in Administrators |-> Nothing]
    /\ snapshot = [a \in Administrators |-> Nothing]
    /\ attempts = [a \in Administrators |-> 0]

--------------------------------------------------------------------------------
(******************************************************************************)
(* The parts of a step, named so that a broken configuration can replace one. *)
(******************************************************************************)

Current == [revision |-> revision, organization |-> organization]

\* The compare of compare-and-set: WHERE revision = r.
Fresh(a) == snapshot[a].revision = revision

\* The set of compare-and-set: SET revision = r + 1.
NextRevision == revision + 1

Decision(a) == Refusal(snapshot[a].organization, command[a])

\* How often a proposal has lost once it loses again.
Lost(a) == attempts[a] + 1

Finish(a, outcome) ==
    /\ phase' = [phase EXCEPT ![a] = outcome]
    /\ command' = [command EXCEPT ![a] = Nothing]
    /\ snapshot' = [snapshot EXCEPT ![a] = Nothing]
    /\ attempts' = [attempts EXCEPT ![a] = 0]

Write(a) ==
    /\ organization' = Applied(organization, command[a])
    /\ revision' = NextRevision

--------------------------------------------------------------------------------
(******************************************************************************)
(* The steps of one administrator, in the order of AdministrationPoint.propose*)
(******************************************************************************)

Propose(a) ==
    /\ phase[a] = "idle"
    /\ \E c \in Commands : command' = [command EXCEPT ![a] = c]
    /\ phase' = [phase EXCEPT ![a] = "deciding"]
    /\ snapshot' = [snapshot EXCEPT ![a] = Current]
    /\ UNCHANGED <<organization, revision, attempts>>

Commit(a) ==
    /\ phase[a] = "deciding"
    /\ Fresh(a)
    /\ Decision(a) = Nothing
    /\ Write(a)
    /\ Finish(a, "accepted")

Reject(a) ==
    /\ phase[a] = "deciding"
    /\ Fresh(a)
    /\ Decision(a) # Nothing
    /\ Finish(a, Decision(a))
    /\ UNCHANGED <<organization, revision>>

Retry(a) ==
    /\ phase' = [phase EXCEPT ![a] = "retrying"]
    /\ snapshot' = [snapshot EXCEPT ![a] = Nothing]
    /\ attempts' = [attempts EXCEPT ![a] = Lost(a)]
    /\ UNCHANGED command

LoseRace(a) ==
    /\ phase[a] = "deciding"
    /\ ~Fresh(a)
    /\ IF Lost(a) < AttemptsMax THEN Retry(a) ELSE Finish(a, "contended")
    /\ UNCHANGED <<organization, revision>>

CatchUp(a) ==
    /\ phase[a] = "retrying"
    /\ phase' = [phase EXCEPT ![a] = "deciding"]
    /\ snapshot' = [snapshot EXCEPT ![a] = Current]
    /\ UNCHANGED <<organization, revision, command, attempts>>

Step(a) == Commit(a) \/ Reject(a) \/ LoseRace(a) \/ CatchUp(a)

Next == \E a \in Administrators : Propose(a) \/ Step(a)

\* Fair scheduling: a process that can take a step takes one some day. Nobody has to propose.
Fairness == \A a \in Administrators : WF_vars(Step(a))

Spec == Init /\ [][Next]_vars /\ Fairness

--------------------------------------------------------------------------------
(******************************************************************************)
(* What locking owes, whatever the rules are. P-CAS, P-LIVE.                  *)
(******************************************************************************)

\* Whoever changes the organization also moves the revision, by one.
RevisionCountsCommits ==
    revision = Cardinality({a \in Administrators : phase[a] = "accepted"})

Becomes(a, outcomes) == phase'[a] # phase[a] /\ phase'[a] \in outcomes
OnCurrent(a) == snapshot[a] = Current

\* What is accepted was decided on the very state that it changes.
NoLostUpdate == [][\A a \in Administrators : Becomes(a, {"accepted"}) => OnCurrent(a)]_vars

\* What is refused was refused by the state as it is, not by one that is gone.
NoStaleRefusal == [][\A a \in Administrators : Becomes(a, Grounds) => OnCurrent(a)]_vars

\* Only a commit can make another lose: somebody always gets on.
LockFree == \A a \in Administrators : attempts[a] <= revision

\* With as many attempts as administrators, one-shot proposals never end contended.
NobodyGivesUp ==
    Cardinality(Administrators) <= AttemptsMax =>
        \A a \in Administrators : phase[a] # "contended"

\* Every proposal has an outcome in the end.
EventuallyDecided ==
    \A a \in Administrators : phase[a] = "deciding" ~> phase[a] \in Outcomes
================================================================================
