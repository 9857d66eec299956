------------------------------ MODULE MCFreshness ------------------------------
(******************************************************************************)
(* Freshness, and what must be reachable: each Never... below is refuted by a *)
(* configuration in reachable/, or the model would show nothing.              *)
(******************************************************************************)
EXTENDS Freshness, TLC

\* Replicas differ in nothing but their names.
Alike == Permutations(Replicas)

\* A question is answered only after a look for it.
NeverWaited == [][\A c \in Clients : Ends(c, "answered") => ~question[c].looked]_vars

\* A replica that may know enough refuses, since it has not looked for too long.
NeverTooStale == \A c \in Clients : outcome[c] # "stale"

\* A revision that nobody has committed yet is refused.
NeverUnreached == \A c \in Clients : outcome[c] # "unreached"

\* A replica that is behind answers a question that is content with what it knows.
NeverLagging == [][\A c \in Clients : Ends(c, "answered") => seen'[c] = revision]_vars

\* A replica that was cut off comes back and catches up with what it missed.
NeverReconnected ==
    [][\A r \in Replicas : link[r] = "back" /\ age[r] = StalenessMax => known'[r] = known[r]]_vars

\* A client is answered by one replica and finds another behind.
NeverMoved == \A c \in Clients : question[c] # Nothing => known[question[c].replica] >= seen[c]

\* Two looks are applied in the other order than they began.
NeverOvertaken == \A x \in Readers, r \in Replicas :
    look[x] # Nothing /\ (x = r \/ (x \in Clients /\ AtReplica(x, r)))
        => look[x].revision >= known[r]
================================================================================
