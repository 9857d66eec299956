----------------------------- MODULE BrokenLocking -----------------------------
(******************************************************************************)
(* Optimistic locking done wrong: each definition replaces one of             *)
(* OptimisticLocking in a configuration beside this file, which TLC must refute.*)
(******************************************************************************)
EXTENDS MCRBACPolicyChange

\* NoCompareAndSet: UPDATE ... WHERE id = ?, without the revision.
NoComparison(a) == TRUE

\* CompareLessOrEqual: WHERE ? <= revision.
NotNewer(a) == snapshot[a].revision <= revision

\* NoBump: the row is compared, but its revision never moves.
SameRevision == revision

\* BlindRetry: after a lost race only the revision is read again, the decision stands.
KeepDecision(a) ==
    /\ phase[a] = "deciding"
    /\ ~Fresh(a)
    /\ snapshot' = [snapshot EXCEPT ![a].revision = revision]
    /\ UNCHANGED <<organization, revision, phase, command, attempts>>

\* CheckOutsideTransaction: SELECT revision, then UPDATE in a transaction of its own.
SelectThenUpdate(a) ==
    \/ /\ phase[a] = "deciding"
       /\ Decision(a) = Nothing
       /\ Fresh(a)
       /\ phase' = [phase EXCEPT ![a] = "checked"]
       /\ UNCHANGED <<organization, revision, command, snapshot, attempts>>
    \/ /\ phase[a] = "checked"
       /\ Write(a)
       /\ Finish(a, "accepted")

\* StaleRefusal: a refusal is final, even when the state that refuses is gone.
RejectAtOnce(a) ==
    /\ phase[a] = "deciding"
    /\ Decision(a) # Nothing
    /\ Finish(a, Decision(a))
    /\ UNCHANGED <<organization, revision>>

\* OneDirection: a set is read as a pair, Submitter after Approver; the other order passes.
OneDirection(held, assign) == assign.role = Submitter /\ Approver \in held[assign.principal]

\* OneTooMany: n taken for the largest count allowed.
OneTooMany(held, assign) ==
    \E sod_set \in SodSets :
        Cardinality(sod_set.roles \cap (held[assign.principal] \cup {assign.role})) > sod_set.n

\* RetryForEver: a lost race is not counted, and the next attempt decides on the same snapshot.
KeepSnapshot(a) ==
    /\ phase' = [phase EXCEPT ![a] = "retrying"]
    /\ UNCHANGED <<command, snapshot, attempts>>

ReadNothing(a) ==
    /\ phase[a] = "retrying"
    /\ phase' = [phase EXCEPT ![a] = "deciding"]
    /\ UNCHANGED <<organization, revision, command, snapshot, attempts>>

\* GiveWay: whoever is not alone counts as having lost. Two that begin at the same time stop each
\* other, and both may end contended with nothing committed.
Undisturbed(a) ==
    /\ snapshot[a].revision = revision
    /\ \A other \in Administrators \ {a} : phase[other] # "deciding"

\* GiveUpTooSoon: the attempts made are taken for the races lost, the first one included.
OneTooManyLost(a) == attempts[a] + 2
================================================================================
