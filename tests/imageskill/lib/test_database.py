"""Vendors are never called inside a transaction, except where a block allows it."""

import pytest
from django.db import transaction

from imageskill.lib.database import calls_allowed_in_transaction, forbid_in_transaction

pytestmark = pytest.mark.django_db


class TestForbidInTransaction:
    def test_the_transaction_around_a_test_does_not_count(self):
        forbid_in_transaction("Stripe")

    def test_a_call_inside_another_one_is_refused_by_name(self):
        with transaction.atomic(), pytest.raises(RuntimeError, match="Stripe must not be called"):
            forbid_in_transaction("Stripe")

    def test_a_block_may_allow_it_and_ends(self):
        with transaction.atomic():
            with calls_allowed_in_transaction():
                forbid_in_transaction("Stripe")
            with pytest.raises(RuntimeError):
                forbid_in_transaction("Stripe")
