------------------------------- MODULE Freshness -------------------------------
(******************************************************************************)
(* How replicas follow the events of one organization, and what they answer.  *)
(*                                                                            *)
(* A replica looks at the database when it is notified, from time to time,    *)
(* and when somebody demands more than it knows. A look reads at one moment   *)
(* and is applied at a later one: two looks may be applied in either order.   *)
(* A notification may be late or lost; a replica may be cut off.              *)
(*                                                                            *)
(* A question names the least revision that it is to be answered from. It is  *)
(* answered from the replica's snapshot if that is new enough and was looked  *)
(* at lately enough; otherwise after a look, or else it is refused.           *)
(*                                                                            *)
(* Why it is safe: a snapshot only moves forward, and it is as old as the     *)
(* beginning of the look that last confirmed it, not as its end. Clients may  *)
(* be sent to another replica with every question: it is the revision in the  *)
(* question, not the replica, that keeps a client from going back.            *)
(******************************************************************************)
EXTENDS Naturals, FiniteSets

CONSTANTS
    Replicas,         \* processes that answer, each from a snapshot of its own
    Clients,          \* who asks, again and again, any replica
    RevisionMax,      \* how often the organization changes
    StalenessMax,     \* how many ticks old an answer may be
    Nothing           \* no look, no question

VARIABLES
    revision,         \* the version of the organization in the database
    past,             \* what the revision was so many ticks ago, for the book-keeping below
    link,             \* whether each replica reaches the database: up, cut, back
    notified,         \* whether a notification has arrived and was not yet followed
    known,            \* the revision of each replica's snapshot
    age,              \* ticks since the look that last confirmed it began
    look,             \* what is being read: by the following of a replica, or for a question
    question,         \* what each client waits for
    outcome,          \* how its last question ended
    seen              \* the revision of the last answer that each client has seen

vars == <<revision, past, link, notified, known, age, look, question, outcome, seen>>
replica == <<link, notified, known, age, look>>
client == <<question, outcome, seen>>
database == <<revision, past>>

Revisions == 0..RevisionMax
Ages == 0..StalenessMax
Readers == Replicas \cup Clients
Outcomes == {"none", "answered", "stale", "unreached"}

Smaller(a, b) == IF a < b THEN a ELSE b
Larger(a, b) == IF a < b THEN b ELSE a
Older(ticks) == Smaller(ticks + 1, StalenessMax)

TypeOK ==
    /\ revision \in Revisions
    /\ past \in [1..StalenessMax -> Revisions]
    /\ link \in [Replicas -> {"up", "cut", "back"}]
    /\ notified \in [Replicas -> BOOLEAN]
    /\ known \in [Replicas -> Revisions]
    /\ age \in [Replicas -> Ages]
    /\ outcome \in [Clients -> Outcomes]
    /\ seen \in [Clients -> Revisions]
    /\ \A x \in Readers : look[x] # Nothing => look[x] \in [revision : Revisions, age : Ages]

Init ==
    /\ revision = 0
    /\ past = [i \in 1..StalenessMax |-> 0]
    /\ link = [r \in Replicas |-> "up"]
    /\ notified = [r \in Replicas |-> FALSE]
    /\ known = [r \in Replicas |-> 0]
    /\ age = [r \in Replicas |-> 0]
    /\ look = [x \in Readers |-> Nothing]
    /\ question = [c \in Clients |-> Nothing]
    /\ outcome = [c \in Clients |-> "none"]
    /\ seen = [c \in Clients |-> 0]

--------------------------------------------------------------------------------
(******************************************************************************)
(* The parts of a step, named so that a broken configuration can replace one. *)
(******************************************************************************)

\* Looking from time to time, also without having been told to.
Polls(r) == TRUE

\* The least revisions that a client may demand: its last one, or one that it was told of.
Demands(c) == seen[c]..RevisionMax

NewEnough(c) == known[question[c].replica] >= question[c].at_least
LookedAtLately(c) == age[question[c].replica] < StalenessMax
Answerable(c) == NewEnough(c) /\ LookedAtLately(c)

\* Whoever has not looked for the question yet, and could, does not refuse it.
MayRefuse(c) == question[c].looked \/ link[question[c].replica] = "cut"

\* The snapshot after a look: it follows the events that it has not seen.
Followed(r, x) == Larger(known[r], look[x].revision)

\* What it is told to be as old as: the beginning of the look, if none that began later has ended.
AgeAfter(r, x) == Smaller(age[r], look[x].age)

--------------------------------------------------------------------------------
(******************************************************************************)
(* The database and the network                                               *)
(******************************************************************************)

\* A change is committed. Each replica that is not cut off is notified, or is not.
Commit ==
    /\ revision < RevisionMax
    /\ revision' = revision + 1
    /\ \E told \in SUBSET {r \in Replicas : link[r] # "cut"} :
        notified' = [r \in Replicas |-> notified[r] \/ r \in told]
    /\ UNCHANGED <<past, link, known, age, look, client>>

Tick ==
    /\ past' = [i \in 1..StalenessMax |-> IF i = 1 THEN revision ELSE past[i - 1]]
    /\ age' = [r \in Replicas |-> Older(age[r])]
    /\ look' = [x \in Readers |->
        IF look[x] = Nothing THEN Nothing ELSE [look[x] EXCEPT !.age = Older(@)]]
    /\ UNCHANGED <<revision, link, notified, known, client>>

AtReplica(c, r) == question[c] # Nothing /\ question[c].replica = r

\* A replica loses the database, once: what it reads and what it would be told is lost.
Cut(r) ==
    /\ link[r] = "up"
    /\ link' = [link EXCEPT ![r] = "cut"]
    /\ notified' = [notified EXCEPT ![r] = FALSE]
    /\ look' = [x \in Readers |->
        IF x = r \/ (x \in Clients /\ AtReplica(x, r)) THEN Nothing ELSE look[x]]
    /\ UNCHANGED <<database, known, age, client>>

Reconnect(r) ==
    /\ link[r] = "cut"
    /\ link' = [link EXCEPT ![r] = "back"]
    /\ UNCHANGED <<database, notified, known, age, look, client>>

--------------------------------------------------------------------------------
(******************************************************************************)
(* A replica                                                                  *)
(******************************************************************************)

Begin(x, r) ==
    /\ look[x] = Nothing
    /\ link[r] # "cut"
    /\ look' = [look EXCEPT ![x] = [revision |-> revision, age |-> 0]]

\* The following begins to look: it was notified, or it is time.
Follow(r) ==
    /\ notified[r] \/ Polls(r)
    /\ Begin(r, r)
    /\ notified' = [notified EXCEPT ![r] = FALSE]
    /\ UNCHANGED <<database, link, known, age, client>>

Apply(x, r) ==
    /\ look[x] # Nothing
    /\ known' = [known EXCEPT ![r] = Followed(r, x)]
    /\ age' = [age EXCEPT ![r] = AgeAfter(r, x)]
    /\ look' = [look EXCEPT ![x] = Nothing]
    /\ UNCHANGED <<database, link, notified>>

FollowEnd(r) == Apply(r, r) /\ UNCHANGED client

--------------------------------------------------------------------------------
(******************************************************************************)
(* A question, in the order of Decisions.index                                *)
(******************************************************************************)

Ask(c) ==
    /\ question[c] = Nothing
    /\ \E r \in Replicas, least \in Demands(c) :
        question' = [question EXCEPT ![c] =
            [replica |-> r, at_least |-> least, exists |-> least <= revision, looked |-> FALSE]]
    /\ outcome' = [outcome EXCEPT ![c] = "none"]
    /\ UNCHANGED <<database, replica, seen>>

\* A look of its own, which begins after the question was asked.
Look(c) ==
    /\ question[c] # Nothing
    /\ ~question[c].looked
    /\ ~Answerable(c)
    /\ Begin(c, question[c].replica)
    /\ UNCHANGED <<database, link, notified, known, age, client>>

LookEnd(c) ==
    /\ question[c] # Nothing
    /\ Apply(c, question[c].replica)
    /\ question' = [question EXCEPT ![c].looked = TRUE]
    /\ UNCHANGED <<outcome, seen>>

End(c, how) ==
    /\ question' = [question EXCEPT ![c] = Nothing]
    /\ outcome' = [outcome EXCEPT ![c] = how]
    /\ look' = [look EXCEPT ![c] = Nothing]
    /\ UNCHANGED <<database, link, notified, known, age>>

Answer(c) ==
    /\ question[c] # Nothing
    /\ Answerable(c)
    /\ End(c, "answered")
    /\ seen' = [seen EXCEPT ![c] = known[question[c].replica]]

Refuse(c) ==
    /\ question[c] # Nothing
    /\ ~Answerable(c)
    /\ MayRefuse(c)
    /\ End(c, IF NewEnough(c) THEN "stale" ELSE "unreached")
    /\ UNCHANGED seen

--------------------------------------------------------------------------------
Next ==
    \/ Commit \/ Tick
    \/ \E r \in Replicas : Cut(r) \/ Reconnect(r) \/ Follow(r) \/ FollowEnd(r)
    \/ \E c \in Clients : Ask(c) \/ Look(c) \/ LookEnd(c) \/ Answer(c) \/ Refuse(c)

\* Fair scheduling: a replica goes on looking, comes back, and deals with questions.
Fairness ==
    /\ \A r \in Replicas :
        /\ WF_vars(Follow(r))
        /\ WF_vars(FollowEnd(r))
        /\ WF_vars(Reconnect(r))
    /\ \A c \in Clients : WF_vars(Look(c) \/ LookEnd(c) \/ Answer(c) \/ Refuse(c))

Spec == Init /\ [][Next]_vars /\ Fairness

--------------------------------------------------------------------------------
(******************************************************************************)
(* What a replica owes to who asks. P-FRESH, P-LIVE.                          *)
(******************************************************************************)

Ends(c, how) == question[c] # Nothing /\ question'[c] = Nothing /\ outcome'[c] = how

\* No snapshot is newer than what is committed.
NeverAhead == \A r \in Replicas : known[r] <= revision

\* An answer reflects a state that is at least as new as was demanded.
AsDemanded == [][\A c \in Clients : Ends(c, "answered") => seen'[c] >= question[c].at_least]_vars

\* An answer reflects everything that was committed so long ago, whatever was demanded.
NotTooOld == [][\A c \in Clients : Ends(c, "answered") => seen'[c] >= past[StalenessMax]]_vars

\* A client that sends its last revision never sees an older one, whichever replica it asks.
NeverBack == [][\A c \in Clients : seen'[c] >= seen[c]]_vars

\* A snapshot only moves forward.
SnapshotsNeverBack == [][\A r \in Replicas : known'[r] >= known[r]]_vars

\* What was committed before it was asked for is not refused as unknown, but by who was cut off.
NoNeedlessRefusal ==
    [][\A c \in Clients :
        Ends(c, "unreached") /\ link[question[c].replica] = "up" => ~question[c].exists]_vars

\* Every change reaches every replica, whatever becomes of the notification.
EventuallyFollowed == \A r \in Replicas : revision = RevisionMax ~> known[r] = RevisionMax

\* Every question is answered or refused.
EventuallyAnswered == \A c \in Clients : question[c] # Nothing ~> question[c] = Nothing
================================================================================
