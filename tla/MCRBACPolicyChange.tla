-------------------------- MODULE MCRBACPolicyChange ---------------------------
(******************************************************************************)
(* RBACPolicyChange with its cast, and states that must be reachable: each    *)
(* Never... below is refuted by a configuration in reachable/, or the model   *)
(* would show nothing.                                                        *)
(******************************************************************************)
EXTENDS RBACPolicyChange

CONSTANTS Submitter, Approver, Viewer

\* Who submits a payment may not approve it.
PaymentDuty == {[roles |-> {Submitter, Approver}, n |-> 2]}

NeverRetried == \A a \in Administrators : phase[a] # "retrying"

\* Refused after a lost race: what is decided anew may be decided otherwise.
NeverRefusedLate ==
    \A a \in Administrators :
        ~(phase[a] = "deciding" /\ attempts[a] > 0 /\ Decision(a) = "BreaksSod")

NeverContended == \A a \in Administrators : phase[a] # "contended"
================================================================================
