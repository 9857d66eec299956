---------------------------- MODULE Administration -----------------------------
(******************************************************************************)
(* Concurrent administration of a whole policy: assign and revoke roles, add  *)
(* and remove parents, create separation-of-duty sets, delete roles. Each of  *)
(* them can be right for itself and wrong beside another: a parent for a role *)
(* that has just been assigned, a set over roles that have just met, the two  *)
(* halves of a cycle, an assignment of a role that is just being deleted.     *)
(*                                                                            *)
(* The rules are those of the core: the grounds for refusal in the order of   *)
(* AGAINST in core/commands/refusal.py, what commands do in delta.py, and the *)
(* invariants of core/invariants.py, under the same names. Separation of duty *)
(* counts effective roles: inherited ones too.                                *)
(******************************************************************************)
EXTENDS OptimisticLocking

CONSTANTS
    Principals,
    RoleNames,        \* the roles that may exist
    SodSets           \* the separation-of-duty sets that may be created: [roles, n], n >= 2

--------------------------------------------------------------------------------
(******************************************************************************)
(* An organization: [roles, assignments, parents, sod_sets]. Child inherits   *)
(* from parent. The two functions cover every role name, so that a dangling   *)
(* reference can be written down, and found.                                  *)
(******************************************************************************)

\* The least set that holds `start` and every parent of its members. P-CLOSURE.
RECURSIVE Closure(_, _)
Closure(start, parents) ==
    LET wider == start \cup UNION {parents[role] : role \in start}
    IN IF wider = start THEN start ELSE Closure(wider, parents)

EffectiveRoles(o, principal) == Closure(o.assignments[principal], o.parents)

Exceeds(sod_set, roles) == Cardinality(sod_set.roles \cap roles) >= sod_set.n

BreaksSod(o) ==
    \E principal \in Principals, sod_set \in o.sod_sets :
        Exceeds(sod_set, EffectiveRoles(o, principal))

ReachesItself(role, parents) == role \in Closure(parents[role], parents)

Acyclic(parents) == \A role \in RoleNames : ~ReachesItself(role, parents)

Dangles(o) ==
    \/ \E principal \in Principals : ~(o.assignments[principal] \subseteq o.roles)
    \/ \E role \in RoleNames : ~(o.parents[role] \subseteq o.roles)
    \/ \E role \in RoleNames \ o.roles : o.parents[role] # {}
    \/ \E sod_set \in o.sod_sets : ~(sod_set.roles \subseteq o.roles)

Valid(o) == ~Dangles(o) /\ Acyclic(o.parents) /\ ~BreaksSod(o)

--------------------------------------------------------------------------------
(******************************************************************************)
(* The commands, what refuses them and what they do.                          *)
(******************************************************************************)

Edges == {<<child, parent>> \in RoleNames \X RoleNames : child # parent}

PolicyCommands ==
    [type : {"AssignRole", "RevokeRole"}, principal : Principals, role : RoleNames]
    \cup {[type |-> type, role |-> edge[1], parent |-> edge[2]] :
             type \in {"AddParent", "RemoveParent"}, edge \in Edges}
    \cup [type : {"CreateSodSet"}, sod_set : SodSets]
    \cup [type : {"DeleteRole"}, role : RoleNames]

Missing(o, c) ==
    CASE c.type = "AssignRole" -> c.role \notin o.roles
      [] c.type = "RevokeRole" -> c.role \notin o.assignments[c.principal]
      [] c.type = "AddParent" -> ~({c.role, c.parent} \subseteq o.roles)
      [] c.type = "RemoveParent" -> c.parent \notin o.parents[c.role]
      [] c.type = "CreateSodSet" -> ~(c.sod_set.roles \subseteq o.roles)
      [] c.type = "DeleteRole" -> c.role \notin o.roles

InTheWay(o, c) ==
    CASE c.type = "AssignRole" -> c.role \in o.assignments[c.principal]
      [] c.type = "AddParent" -> c.parent \in o.parents[c.role]
      [] c.type = "CreateSodSet" -> c.sod_set \in o.sod_sets
      [] OTHER -> FALSE

ClosesCycle(o, c) == c.type = "AddParent" /\ c.role \in Closure({c.parent}, o.parents)

NamedBySodSet(o, c) ==
    c.type = "DeleteRole" /\ \E sod_set \in o.sod_sets : c.role \in sod_set.roles

Referenced(o, c) ==
    /\ c.type = "DeleteRole"
    /\ \/ o.parents[c.role] # {}
       \/ \E child \in RoleNames : c.role \in o.parents[child]
       \/ \E principal \in Principals : c.role \in o.assignments[principal]

PolicyApplied(o, c) ==
    CASE c.type = "AssignRole" -> [o EXCEPT !.assignments[c.principal] = @ \cup {c.role}]
      [] c.type = "RevokeRole" -> [o EXCEPT !.assignments[c.principal] = @ \ {c.role}]
      [] c.type = "AddParent" -> [o EXCEPT !.parents[c.role] = @ \cup {c.parent}]
      [] c.type = "RemoveParent" -> [o EXCEPT !.parents[c.role] = @ \ {c.parent}]
      [] c.type = "CreateSodSet" -> [o EXCEPT !.sod_sets = @ \cup {c.sod_set}]
      [] c.type = "DeleteRole" -> [o EXCEPT !.roles = @ \ {c.role}]

WouldBreakSod(o, c) == BreaksSod(PolicyApplied(o, c))

PolicyRefusal(o, c) ==
    IF Missing(o, c) THEN "Missing"
    ELSE IF InTheWay(o, c) THEN "AlreadyExists"
    ELSE IF ClosesCycle(o, c) THEN "WouldCycle"
    ELSE IF NamedBySodSet(o, c) THEN "NamedBySodSet"
    ELSE IF Referenced(o, c) THEN "StillReferenced"
    ELSE IF WouldBreakSod(o, c) THEN "BreaksSod"
    ELSE Nothing

--------------------------------------------------------------------------------
(******************************************************************************)
(* Where a run may start: every valid organization over the names.            *)
(******************************************************************************)

Graphs == {parents \in [RoleNames -> SUBSET RoleNames] : Acyclic(parents)}

ValidOrganizations ==
    {o \in [roles : SUBSET RoleNames, assignments : [Principals -> SUBSET RoleNames],
            parents : Graphs, sod_sets : SUBSET SodSets] : Valid(o)}

--------------------------------------------------------------------------------
(******************************************************************************)
(* What is always true of the organization, whoever changes it beside whom.   *)
(******************************************************************************)

\* P-SOD-SAFE: nobody ever has n or more roles of a set, inheritance included.
StaticDutyHolds == ~BreaksSod(organization)

\* P-DAG: no role inherits from itself.
RolesAcyclic == Acyclic(organization.parents)

\* P-REF: every role that an assignment, a parent edge or a set names is there.
NothingDangles == ~Dangles(organization)
================================================================================
