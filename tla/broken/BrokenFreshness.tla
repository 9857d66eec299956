---------------------------- MODULE BrokenFreshness ----------------------------
(******************************************************************************)
(* Following and answering done wrong: each definition replaces one of        *)
(* Freshness in a configuration beside this file, which TLC must refute.      *)
(******************************************************************************)
EXTENDS MCFreshness

\* OlderThanAsked: whatever the snapshot is, it is answered from.
AnyRevision(c) == TRUE

\* StaleWhenCutOff: what was last known is answered from, however long ago that was.
HoweverLongAgo(c) == TRUE

\* AgeFromEnd: a snapshot is told to be as old as the end of the look.
AsOldAsItsEnd(r, x) == 0

\* NoPolling: a replica looks only when it was notified.
OnlyWhenTold(r) == FALSE

\* RevisionForgotten: a client does not say what it has seen.
DemandsNothing(c) == {0}

\* SnapshotSwapped: what was read replaces the snapshot, though another look has moved it since.
Swapped(r, x) == look[x].revision

\* RefuseAtOnce: what is not known here is refused without looking.
AtOnce(c) == TRUE

\* WaitForEver: who demands what does not exist waits for it.
NeverRefuses(c) == FALSE
================================================================================
