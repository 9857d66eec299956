----------------------------- MODULE BrokenConsume -----------------------------
(******************************************************************************)
(* Consuming done wrong: each definition replaces one of Consume in a         *)
(* configuration beside this file, which TLC must refute.                     *)
(******************************************************************************)
EXTENDS MCConsume

\* ReadThenWrite: SELECT used; then UPDATE ... SET used = ?, with what was read and one more.
RoomAsRead(c) == HasRoom(Choice(c), snapshot[c].used, snapshot[c].limits)

WrittenFromReading(c) ==
    [used EXCEPT ![Choice(c)] = [counter \in Counters |-> snapshot[c].used[Choice(c)][counter] + 1]]

\* IncrementUnchecked: UPDATE ... SET used = used + 1, without WHERE used < limit: RoomAsRead alone.

\* OneCounterCompared: the rate is counted, but only the quota is compared.
QuotaHasRoom(c) == used[Choice(c)].usage < snapshot[c].limits[Choice(c)].usage

\* ChargeBeforeCheck: counted first and compared then; who finds too much is refused, not undone.
ChargeThenLook(c) ==
    /\ phase[c] = "deciding"
    /\ Choice(c) # Nothing
    /\ ~(Fresh(c) /\ Room(c))
    /\ used' = Charged(c)
    /\ LookAgain(c)
    /\ UNCHANGED <<revision, limits, returned>>

\* TwoTransactions: each counter is charged, right in itself, in a transaction of its own.
ChargeOneByOne(c) ==
    \/ /\ phase[c] = "deciding"
       /\ Choice(c) # Nothing
       /\ Fresh(c)
       /\ used[Choice(c)].usage < snapshot[c].limits[Choice(c)].usage
       /\ used' = [used EXCEPT ![Choice(c)].usage = @ + 1]
       /\ phase' = [phase EXCEPT ![c] = "half"]
       /\ UNCHANGED <<revision, limits, snapshot, granted, returned>>
    \/ /\ phase[c] = "half"
       /\ used[Choice(c)].rate < snapshot[c].limits[Choice(c)].rate
       /\ used' = [used EXCEPT ![Choice(c)].rate = @ + 1]
       /\ Answer(c, "allowed", Choice(c))
       /\ UNCHANGED <<revision, limits, returned>>
    \/ /\ phase[c] = "half"
       /\ ~(used[Choice(c)].rate < snapshot[c].limits[Choice(c)].rate)
       /\ LookAgain(c)
       /\ UNCHANGED <<revision, limits, used, returned>>

\* Once nobody is between the two, all must be as if there were one.
CountedInTheEnd == (\A c \in Consumers : phase[c] # "half") => EveryUseIsCounted

\* RevisionIgnored: the limits that were read are taken for those in force.
AnyRevision(c) == TRUE

\* LostIsDenied: who loses a race is denied, though the next claim has room.
DenyAtOnce(c) ==
    /\ phase[c] = "deciding"
    /\ Choice(c) # Nothing
    /\ ~(Fresh(c) /\ Room(c))
    /\ Answer(c, "denied", Nothing)
    /\ UNCHANGED <<revision, limits, used, returned>>

\* TryForEver: who loses tries the same charge again, on the reading that it has.
KeepReading(c) ==
    /\ phase[c] = "deciding"
    /\ Choice(c) # Nothing
    /\ ~(Fresh(c) /\ Room(c))
    /\ UNCHANGED vars
================================================================================
