--------------------------- MODULE RBACPolicyChange ----------------------------
(******************************************************************************)
(* Concurrent role assignment under static separation of duty: the smallest   *)
(* organization in which two right decisions can make one wrong state.        *)
(*                                                                            *)
(* An organization is who holds which roles. Assigning Submitter to carol is  *)
(* right, assigning Approver to carol is right, and both together hand her    *)
(* the means to approve what she submits. Each administrator sees a legal     *)
(* change; OptimisticLocking must let only one of them through.               *)
(******************************************************************************)
EXTENDS OptimisticLocking

CONSTANTS
    Principals,
    Roles,
    SodSets           \* static separation-of-duty sets: [roles, n], n the smallest forbidden count

Assignments == [type : {"AssignRole"}, principal : Principals, role : Roles]

Exceeds(sod_set, roles) == Cardinality(sod_set.roles \cap roles) >= sod_set.n

BreaksSod(roles) == \E sod_set \in SodSets : Exceeds(sod_set, roles)

ValidAssignments == [Principals -> {roles \in SUBSET Roles : ~BreaksSod(roles)}]

AssignmentApplied(held, assign) == [held EXCEPT ![assign.principal] = @ \cup {assign.role}]

WouldBreakSod(held, assign) == BreaksSod(held[assign.principal] \cup {assign.role})

AssignmentRefusal(held, assign) ==
    IF assign.role \in held[assign.principal] THEN "AlreadyExists"
    ELSE IF WouldBreakSod(held, assign) THEN "BreaksSod"
    ELSE Nothing

\* P-SOD-SAFE: nobody ever holds n or more roles of a set.
StaticDutyHolds == \A principal \in Principals : ~BreaksSod(organization[principal])
================================================================================
