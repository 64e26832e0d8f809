"""What holds for everything that one person asks for and another decides."""

from billing import approvals
from billing.models.approvals import ApprovalRequest


def test_no_kind_of_request_is_forgotten_when_requests_expire():
    assert set(approvals.REQUEST_MODELS) == set(ApprovalRequest.__subclasses__())
