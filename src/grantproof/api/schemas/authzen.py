"""Where the parts of the AuthZEN API are."""

from grantproof.api.schemas.answer import Answer


class Configuration(Answer):
    """The metadata of a policy decision point, as AuthZEN has it."""

    policy_decision_point: str
    """The address that everything here begins with."""
    access_evaluation_endpoint: str
    """Where one question is asked."""
    access_evaluations_endpoint: str
    """Where several are."""
    search_subject_endpoint: str
    """Where is asked who may do something."""
    search_resource_endpoint: str
    """Where is asked on what it may be done."""
    search_action_endpoint: str
    """Where is asked what may be done."""
