--------------------------- MODULE MCAdministration ----------------------------
(******************************************************************************)
(* Administration with its cast, and states that must be reachable: each      *)
(* Never... below is refuted by a configuration in reachable/.                *)
(******************************************************************************)
EXTENDS Administration, TLC

CONSTANTS Submitter, Approver, Viewer

\* Who submits a payment may not approve it.
PaymentDuty == {[roles |-> {Submitter, Approver}, n |-> 2]}

\* Nobody may hold all three, any two are fine.
TwoOfThree == {[roles |-> {Submitter, Approver, Viewer}, n |-> 3]}

\* Administrators differ in nothing but their names, nor do the two roles of the set.
Alike == Permutations(Administrators) \cup Permutations({Submitter, Approver})

\* A few starts instead of all, where one trace suffices or symmetry cannot be used: everybody may
\* submit, no role inherits, and the sets are yet to be created or already there.
Founded ==
    [roles : {RoleNames},
     assignments : {[principal \in Principals |-> {Submitter}]},
     parents : {[role \in RoleNames |-> {}]},
     sod_sets : SUBSET SodSets]

DecidesLate(a, type, ground) ==
    /\ phase[a] = "deciding"
    /\ attempts[a] > 0
    /\ command[a].type = type
    /\ Decision(a) = ground

ClashesDirectly(a) ==
    \E sod_set \in organization.sod_sets :
        Exceeds(sod_set, organization.assignments[command[a].principal] \cup {command[a].role})

\* An assignment is refused for what the role has come to inherit since the first attempt.
NeverInheritedClash ==
    \A a \in Administrators :
        DecidesLate(a, "AssignRole", "BreaksSod") => ClashesDirectly(a)

\* Two administrators add the two halves of a cycle.
NeverLateCycle == \A a \in Administrators : ~DecidesLate(a, "AddParent", "WouldCycle")

\* A set is refused that was legal when it was proposed.
NeverLateSet == \A a \in Administrators : ~DecidesLate(a, "CreateSodSet", "BreaksSod")

\* The role to be assigned is gone.
NeverRoleGone == \A a \in Administrators : ~DecidesLate(a, "AssignRole", "Missing")
================================================================================
