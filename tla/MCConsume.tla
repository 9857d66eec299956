------------------------------- MODULE MCConsume -------------------------------
(******************************************************************************)
(* Consume with its cast, and states that must be reachable: each Never...    *)
(* below is refuted by a configuration in reachable/, or the model would show *)
(* nothing.                                                                   *)
(******************************************************************************)
EXTENDS Consume, TLC

\* A quota of one and a quota of two, each with a rate beside it that is the smaller or the larger.
SmallLimits == 1 :> [usage |-> 1, rate |-> 2] @@ 2 :> [usage |-> 2, rate |-> 1]

\* One counter of the first claim is full while the other still has room for everybody.
UnevenLimits == 1 :> [usage |-> 3, rate |-> 1] @@ 2 :> [usage |-> 1, rate |-> 3]

WideLimits == 1 :> [usage |-> 3, rate |-> 3] @@ 2 :> [usage |-> 1, rate |-> 1]

\* An administrator lowers the limits of the first claim, or raises those of the second.
OtherLimits ==
    { 1 :> [usage |-> 1, rate |-> 1] @@ 2 :> [usage |-> 1, rate |-> 1],
      1 :> [usage |-> 3, rate |-> 3] @@ 2 :> [usage |-> 2, rate |-> 2] }

SameLimits == {}
NoResets == {}

\* Another was faster: a consumer looks again though the organization is as it was.
NeverLost == \A c \in Consumers : ~(phase[c] = "looking" /\ revision = 0)

\* A consumer finds the organization changed between its reading and its charge.
NeverStale == \A c \in Consumers : ~(phase[c] = "deciding" /\ ~Fresh(c))

\* A use goes to the second claim, for the first is full.
NeverSecondClaim == \A c \in Consumers : granted[c] # 2

NeverDenied == \A c \in Consumers : phase[c] # "denied"

\* What was reset is used again, beyond what the limit alone would allow.
NeverUsedAfterReset == \A claim \in Claims : Uses(claim) <= limits[claim].usage
================================================================================
