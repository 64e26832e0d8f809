"""What holds for everything that one person asks for and another decides."""

from billing import second_person
from billing.models.second_person import SecondPerson


def test_no_kind_of_request_is_forgotten_when_requests_expire():
    assert set(second_person.KINDS) == set(SecondPerson.__subclasses__())
