-------------------------- MODULE TraceAdministration --------------------------
(******************************************************************************)
(* Traces of the real service on real databases, held to Administration: a    *)
(* trace is accepted exactly if its records, in their order, are explained by *)
(* a behaviour of Next that agrees with all that was recorded.                *)
(*                                                                            *)
(* TraceData is generated: Policies, what organizations held, and Proposed,   *)
(* the commands, each once; and Traces, each with the policy at its start,    *)
(* its proposals (each an administrator of the model, which proposes once)    *)
(* and its records. Revisions count from the start.                           *)
(*                                                                            *)
(* When a step of the model happens:                                          *)
(*                                                                            *)
(* Propose, CatchUp: once the revision that the proposal read is current. A   *)
(* process that follows late reads an old one; that is the same as having     *)
(* read it early. The record stands where it was read in fact, and by then    *)
(* the step must have been possible: nobody reads what is not committed.      *)
(*                                                                            *)
(* Commit: between the record inside the critical section, when all is        *)
(* written and the database holds the row, and the one after the commit has   *)
(* returned. It is taken as late as the records allow, so once one of them    *)
(* cannot be explained without it. Nothing that needs it is so refused, and   *)
(* nothing that needs it not: other steps only look whether it was.           *)
(*                                                                            *)
(* Reject: before the refusal was held against the stored revision, where its *)
(* record stands. If the revision is the one that was decided on then, it was *)
(* so before, for revisions never come back.                                  *)
(*                                                                            *)
(* LoseRace: where it is recorded, after the fact. Who has lost stays loser.  *)
(*                                                                            *)
(* So each trace has one behaviour at most, and it ends where the trace does  *)
(* or in the record that nothing explains.                                    *)
(******************************************************************************)
EXTENDS Administration, Sequences, TLC, TraceData

VARIABLES
    trace,            \* which of the traces
    next,             \* the record that is to be explained next
    critical,         \* whose transaction has moved the row and is not known to be committed
    written,          \* whether all of that transaction is written
    unexplained       \* why the next record has no explanation, at last

traceVars == <<vars, trace, next, critical, written, unexplained>>

Proposals == Traces[trace].proposals
Record == Traces[trace].records[next]
Ended == next > Len(Traces[trace].records)

TraceInit ==
    /\ trace \in DOMAIN Traces
    /\ organization = Policies[Traces[trace].start]
    /\ Init
    /\ next = 1
    /\ critical = Nothing
    /\ written = FALSE
    /\ unexplained = ""

--------------------------------------------------------------------------------
(******************************************************************************)
(* The steps that are recorded later than they happen.                        *)
(******************************************************************************)

\* What the proposal reads is current now: `reads` holds one revision an attempt.
DueToRead(a) ==
    /\ phase[a] \in {"idle", "retrying"}
    /\ Lost(a) \in DOMAIN Proposals[a].reads
    /\ Proposals[a].reads[Lost(a)] = revision

Reader ==
    LET due == {a \in DOMAIN Proposals : DueToRead(a)}
    IN IF due = {} THEN Nothing ELSE CHOOSE a \in due : \A b \in due : a <= b

Read(a) ==
    /\ \/ command' = [command EXCEPT ![a] = Proposed[Proposals[a].command]] /\ Propose(a)
       \/ CatchUp(a)
    /\ UNCHANGED <<trace, next, critical, written, unexplained>>

CommitCritical ==
    /\ Commit(critical)
    /\ critical' = Nothing
    /\ written' = FALSE
    /\ UNCHANGED <<trace, next, unexplained>>

--------------------------------------------------------------------------------
(******************************************************************************)
(* What each record says, and why it is wrong where it is. The reasons are    *)
(* names, told by specs/traces/telling.py.                                    *)
(******************************************************************************)

\* The transaction has moved the row, or a refusal is held against it: on what?
WrongBasis(a) ==
    IF phase[a] # "deciding" THEN "NothingRead"
    ELSE IF ~Fresh(a) THEN "Stale"
    ELSE ""

WrongRead(a) ==
    IF phase[a] # "deciding" \/ snapshot[a].revision # Record.revision THEN "NotThere"
    ELSE IF snapshot[a].organization # Policies[Record.policy] THEN "OtherPolicy"
    ELSE ""

WrongMove(a) ==
    IF WrongBasis(a) # "" THEN WrongBasis(a)
    ELSE IF Decision(a) # Nothing THEN "Refusable"
    ELSE IF Record.revision # NextRevision THEN "OtherRevision"
    ELSE IF critical # Nothing THEN "NotAlone"
    ELSE ""

WrongWrite(a) ==
    IF critical # a \/ written THEN "NotMoved"
    ELSE IF Record.revision # NextRevision THEN "OtherRevision"
    ELSE IF Policies[Record.policy] # Applied(organization, command[a]) THEN "OtherPolicy"
    ELSE ""

WrongRefusal(a) ==
    IF WrongBasis(a) # "" THEN WrongBasis(a)
    ELSE IF Decision(a) # Record.ground THEN "OtherGround"
    ELSE ""

WrongEnd ==
    IF \E a \in DOMAIN Proposals : phase[a] \notin Outcomes THEN "Undecided"
    ELSE IF revision # Record.revision THEN "OtherRevision"
    ELSE IF organization # Policies[Record.policy] THEN "OtherPolicy"
    ELSE ""

Wrong ==
    LET a == Record.who
    IN CASE Record.what = "reads" -> WrongRead(a)
         [] Record.what = "moves" -> WrongMove(a)
         [] Record.what = "writes" -> WrongWrite(a)
         [] Record.what = "commits" -> IF phase[a] = "accepted" THEN "" ELSE "NotCommitted"
         [] Record.what = "refuses" -> WrongRefusal(a)
         [] Record.what = "loses" ->
                IF WrongBasis(a) = "Stale" THEN ""
                ELSE IF WrongBasis(a) = "" THEN "LostToNobody" ELSE WrongBasis(a)
         [] Record.what = "contended" -> IF phase[a] = "contended" THEN "" ELSE "TriesLeft"
         [] Record.what = "ends" -> WrongEnd
         [] OTHER -> "Failed"

Explain ==
    LET a == Record.who
    IN /\ CASE Record.what = "loses" -> LoseRace(a)
            [] Record.what = "refuses" -> Reject(a)
            [] OTHER -> UNCHANGED vars
       /\ critical' = IF Record.what = "moves" THEN a ELSE critical
       /\ written' = IF Record.what = "writes" THEN TRUE ELSE written
       /\ next' = next + 1
       /\ UNCHANGED <<trace, unexplained>>

GiveUp(why) ==
    /\ unexplained' = why
    /\ UNCHANGED <<vars, trace, next, critical, written>>

TraceNext ==
    /\ ~Ended
    /\ unexplained = ""
    /\ IF Reader # Nothing THEN Read(Reader)
       ELSE IF Wrong = "" THEN Explain
       ELSE IF written THEN CommitCritical
       ELSE GiveUp(Wrong)

TraceSpec == TraceInit /\ [][TraceNext]_traceVars

--------------------------------------------------------------------------------
(******************************************************************************)
(* What must hold of every trace. P-CAS.                                      *)
(******************************************************************************)

EveryRecordExplained == unexplained = ""

\* What explains them is a behaviour of the model.
IsAdministration == [][Next]_vars
================================================================================
