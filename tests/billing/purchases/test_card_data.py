"""Nothing that pays gets in, and nothing that clients really send is mistaken for it."""

import random

import pytest

from billing.purchases import card_data

FAMILY_CARDS = [
    "4242424242424242",
    "4000056655665556",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "5105105105105100",
    "378282246310005",
    "6011111111111117",
    "3056930009020004",
    "36227206271667",
    "3566002020360505",
    "6200000000000005",
]


def rejected(document):
    with pytest.raises(card_data.PaymentCredentialRejected) as caught:
        card_data.screen(document)
    return caught.value


class TestCards:
    @pytest.mark.parametrize("number", FAMILY_CARDS)
    def test_a_card_number_is_refused(self, number):
        rejected({"idempotency_key": number})

    @pytest.mark.parametrize(
        "text",
        [
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "3782 822463 10005",
            "pay with 4242424242424242, thanks",
            "card_4242424242424242",
            "quote-4242424242424242",
            "４２４２４２４２４２４２４２４２",  # full-width digits
        ],
    )
    def test_however_it_is_written(self, text):
        rejected({"quote_id": text})

    def test_as_a_number(self):
        rejected({"credits": 4242424242424242})

    def test_deep_inside(self):
        rejected({"pack_id": [{"a": [["4242424242424242"]]}]})

    def test_as_a_name(self):
        rejected({"4242424242424242": 1})

    @pytest.mark.parametrize(
        "text",
        [
            "4242424242424241",  # fails Luhn
            "1763700000000",  # a clock in milliseconds
            "1763700000000000",  # in microseconds
            "9999999999999995",  # nobody issues 9
            "A4242424242424242",  # part of a longer word
            "42424242424242424242424",  # too long
            "550e8400-e29b-41d4-a716-446655440000",
            "2026-11-21T02:26:43.000Z",
        ],
    )
    def test_other_digits_pass(self, text):
        card_data.screen({"idempotency_key": text})


class TestSecrets:
    @pytest.mark.parametrize(
        "text",
        [
            "sk_live_51Habcdef",
            "rk_test_51Habcdef",
            "whsec_abcdef",
            "tok_visa",
            "pm_1MqLiJLkdIwHu7ixUEgbFdYF",
            "pm_card_visa",
            "pi_3MtwBw_secret_YrKJUKribcBjcG8HVhfZluoGH",
            "cs_test_a1b2_secret_fidwbEhqYWA",
            "spt_1MqLiJLkdIwHu7ixUEgb",
            "isk_r_abc",
            "0x" + "ab" * 32,
            "-----BEGIN PRIVATE KEY-----",
            "legal winner thank year wave sausage worth useful legal winner thank yellow",
        ],
    )
    def test_a_known_secret_is_refused(self, text):
        rejected({"idempotency_key": text})

    @pytest.mark.parametrize(
        "name", ["card_number", "cardNumber", "CVC", "seed-phrase", "stripe_secret_key", "token"]
    )
    def test_a_telling_name_is_refused_whatever_it_holds(self, name):
        rejected({name: ""})

    def test_what_was_sent_is_told_to_nobody(self):
        error = rejected({"sk_live_51Habcdef": "4242424242424242"})
        told = f"{error} {error.text} {error.details} {error.recovery}"
        assert "4242" not in told
        assert "sk_live" not in told

    def test_a_field_of_the_contract_is_named(self):
        assert rejected({"quote_id": "tok_visa"}).details[0]["field"] == "quote_id"


class TestCommands:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["credits", "quote", "--idempotency-key", "4242424242424242"],
            ["credits", "quote", "--idempotency-key=4242424242424242"],
            ["credits", "buy", "--card-number", "1"],
            ["credits", "buy", "--cvc=1"],
        ],
    )
    def test_arguments_are_screened(self, arguments):
        with pytest.raises(card_data.PaymentCredentialRejected):
            card_data.screen_arguments(arguments)

    def test_ordinary_ones_pass(self):
        card_data.screen_arguments(
            ["credits", "buy", "--provider", "stripe", "--quote-id", "quote_1", "--json"]
        )


class TestClientMadeKeys:
    def test_ten_thousand_keys_as_clients_make_them_pass(self):
        chance = random.Random(20261121)
        for number in range(10_000):
            moment = 1_763_700_000_000 + chance.randrange(10**12)
            tail = (
                f"{chance.getrandbits(32):08x}" if number % 2 else f"{chance.randrange(10**8):08}"
            )
            verb = chance.choice(["quote", "buy", "stripe-buy", "purchase", "fake-purchase"])
            card_data.screen({"idempotency_key": f"{verb}-{moment}-{tail}"})

    def test_our_own_ids_pass(self):
        card_data.screen(
            {
                "quote_id": "quote_0a1B2c3D4e5F6g7H8i9J0k",
                "checkout_session_id": "cs_test_a1YS1URlnyQCN5fUUduORoQ7Pw41PJqDWkIVQCpJPqkfIhd6t",
                "pack_id": "starter-500",
                "payment_method": "stripe_checkout",
            }
        )
