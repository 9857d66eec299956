-------------------------------- MODULE Consume --------------------------------
(******************************************************************************)
(* How several processes count the uses of metered claims at the same time.   *)
(*                                                                            *)
(* A consume reads the counters at a revision, finds the first claim with     *)
(* room, and charges it: one transaction that adds one to every counter of    *)
(* the claim, if all are still below their limits and the organization is     *)
(* still at the revision. Whoever loses, to another use or to a change of the *)
(* organization, looks again; so the next claim is tried, or the request is   *)
(* denied by counters that were all full at one moment.                       *)
(*                                                                            *)
(* A claim has two counters, a quota and a rate. Limits change with the       *)
(* revision; a reset gives back what was used and changes no revision.        *)
(******************************************************************************)
EXTENDS Naturals, FiniteSets

CONSTANTS
    Consumers,        \* who consumes, once each, on whichever replica
    Claims,           \* claims that grant the same request, by their place in the order of claims
    Limits,           \* the limits at first: [Claims -> [usage, rate]]
    NewLimits,        \* limits that an administrator may put in their place, once
    Resets,           \* the claims whose usage may be reset, once each
    Nothing           \* no claim, no snapshot

VARIABLES
    revision,         \* the version of the organization, so of the limits
    limits,           \* the limits in force
    used,             \* what every counter stands at
    phase,            \* how far each consumer is, at last its answer
    snapshot,         \* the revision, limits and counters that each consumer has read
    granted,          \* the claim that each was allowed by
    returned          \* what resets have given back, for the book-keeping below

vars == <<revision, limits, used, phase, snapshot, granted, returned>>

Counters == {"usage", "rate"}
None == [counter \in Counters |-> 0]
Answers == {"allowed", "denied"}
Phases == {"idle", "deciding", "looking"} \cup Answers

TypeOK ==
    /\ revision \in 0..1
    /\ limits \in {Limits} \cup NewLimits
    /\ used \in [Claims -> [Counters -> 0..Cardinality(Consumers)]]
    /\ phase \in [Consumers -> Phases]
    /\ granted \in [Consumers -> Claims \cup {Nothing}]
    /\ \A c \in Consumers :
        /\ (granted[c] = Nothing) = (phase[c] # "allowed")
        /\ (snapshot[c] = Nothing) = (phase[c] # "deciding")

Init ==
    /\ revision = 0
    /\ limits = Limits
    /\ used = [claim \in Claims |-> None]
    /\ phase = [c \in Consumers |-> "idle"]
    /\ snapshot = [c \in Consumers |-> Nothing]
    /\ granted = [c \in Consumers |-> Nothing]
    /\ returned = [claim \in Claims |-> None]

--------------------------------------------------------------------------------
(******************************************************************************)
(* The parts of a step, named so that a broken configuration can replace one. *)
(******************************************************************************)

Current == [revision |-> revision, limits |-> limits, used |-> used]

HasRoom(claim, counts, bounds) ==
    \A counter \in Counters : counts[claim][counter] < bounds[claim][counter]

Open(c) == {claim \in Claims : HasRoom(claim, snapshot[c].used, snapshot[c].limits)}

First(claims) ==
    IF claims = {} THEN Nothing ELSE CHOOSE claim \in claims : \A other \in claims : claim <= other

\* The claim that the consumer will charge.
Choice(c) == First(Open(c))

\* Whether the organization is still the one that was decided on.
Fresh(c) == snapshot[c].revision = revision

\* The compare of the charge: WHERE used < limit, on the rows as they are.
Room(c) == HasRoom(Choice(c), used, snapshot[c].limits)

\* The write of the charge: SET used = used + 1, in the same statement.
Charged(c) == [used EXCEPT ![Choice(c)] = [counter \in Counters |-> @[counter] + 1]]

Answer(c, answer, claim) ==
    /\ phase' = [phase EXCEPT ![c] = answer]
    /\ granted' = [granted EXCEPT ![c] = claim]
    /\ snapshot' = [snapshot EXCEPT ![c] = Nothing]

LookAgain(c) ==
    /\ phase' = [phase EXCEPT ![c] = "looking"]
    /\ snapshot' = [snapshot EXCEPT ![c] = Nothing]
    /\ UNCHANGED granted

--------------------------------------------------------------------------------
(******************************************************************************)
(* The steps of one consumer, in the order of ConsumptionPoint.consume        *)
(******************************************************************************)

Read(c) ==
    /\ phase[c] \in {"idle", "looking"}
    /\ phase' = [phase EXCEPT ![c] = "deciding"]
    /\ snapshot' = [snapshot EXCEPT ![c] = Current]
    /\ UNCHANGED <<revision, limits, used, granted, returned>>

Charge(c) ==
    /\ phase[c] = "deciding"
    /\ Choice(c) # Nothing
    /\ Fresh(c)
    /\ Room(c)
    /\ used' = Charged(c)
    /\ Answer(c, "allowed", Choice(c))
    /\ UNCHANGED <<revision, limits, returned>>

Lose(c) ==
    /\ phase[c] = "deciding"
    /\ Choice(c) # Nothing
    /\ ~(Fresh(c) /\ Room(c))
    /\ LookAgain(c)
    /\ UNCHANGED <<revision, limits, used, returned>>

Deny(c) ==
    /\ phase[c] = "deciding"
    /\ Choice(c) = Nothing
    /\ Answer(c, "denied", Nothing)
    /\ UNCHANGED <<revision, limits, used, returned>>

Step(c) == Charge(c) \/ Lose(c) \/ Deny(c) \/ (phase[c] = "looking" /\ Read(c))

--------------------------------------------------------------------------------
(******************************************************************************)
(* What others do meanwhile                                                   *)
(******************************************************************************)

ChangeLimits ==
    /\ revision = 0
    /\ limits' \in NewLimits
    /\ revision' = revision + 1
    /\ UNCHANGED <<used, phase, snapshot, granted, returned>>

Reset(claim) ==
    /\ returned[claim] = None
    /\ used[claim] # None
    /\ returned' = [returned EXCEPT ![claim] = used[claim]]
    /\ used' = [used EXCEPT ![claim] = None]
    /\ UNCHANGED <<revision, limits, phase, snapshot, granted>>

Next ==
    \/ \E c \in Consumers : Read(c) \/ Step(c)
    \/ ChangeLimits
    \/ \E claim \in Resets : Reset(claim)

\* Fair scheduling: who has begun goes on. Nobody has to begin, to change or to reset anything.
Fairness == \A c \in Consumers : WF_vars(Step(c))

Spec == Init /\ [][Next]_vars /\ Fairness

--------------------------------------------------------------------------------
(******************************************************************************)
(* What consuming owes. P-CONSUME, P-LIVE.                                    *)
(******************************************************************************)

Uses(claim) == Cardinality({c \in Consumers : granted[c] = claim})

\* The counters say how often each claim was allowed: no use is lost, and none is invented.
EveryUseIsCounted ==
    \A claim \in Claims, counter \in Counters :
        used[claim][counter] + returned[claim][counter] = Uses(claim)

\* No more are allowed than the limit says, but for what was given back.
WithinLimits ==
    revision = 0 =>
        \A claim \in Claims, counter \in Counters :
            Uses(claim) <= limits[claim][counter] + returned[claim][counter]

\* Whatever the limit was: a use that is counted finds the limit that is in force not yet reached.
LimitInForce ==
    [][\A claim \in Claims, counter \in Counters :
        used'[claim][counter] > used[claim][counter]
            => used'[claim][counter] <= limits[claim][counter]]_vars

Becomes(c, phases) == phase'[c] # phase[c] /\ phase'[c] \in phases

\* Who is denied, or has to look again, has changed nothing.
RefusedChangesNothing ==
    [][\A c \in Consumers : Becomes(c, {"denied", "looking"}) => used' = used]_vars

\* Denied is only who has seen every claim full.
DeniedOnlyWhenFull == [][\A c \in Consumers : Becomes(c, {"denied"}) => Open(c) = {}]_vars

\* Every consume is answered in the end.
EventuallyAnswered == \A c \in Consumers : phase[c] = "deciding" ~> phase[c] \in Answers
================================================================================
