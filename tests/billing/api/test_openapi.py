"""What the published description says of buying: every answer in full, under a short id."""

import pytest

from imageskill.web.api import api as ninja_api

OPERATIONS = {
    ("post", "/v1/agent-signups"): "create_agent_signup",
    ("get", "/v1/quota"): "get_quota",
    ("get", "/v1/payment-methods"): "list_payment_methods",
    ("get", "/v1/credit-packs"): "list_credit_packs",
    ("post", "/v1/credit-quotes"): "create_credit_quote",
    ("post", "/v1/credit-purchases"): "create_credit_purchase",
    ("post", "/v1/credit-purchases/stripe-checkout-sessions"): "create_checkout_session",
    ("get", "/v1/credit-purchases/status"): "get_credit_purchase_status",
}


@pytest.fixture(scope="module")
def document():
    return ninja_api.get_openapi_schema(path_prefix="")


def described(schema, document, seen):
    """Every schema below one, references followed."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            seen.add(name)
            yield from described(document["components"]["schemas"][name], document, seen)
        return
    yield schema
    parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    parts += [*schema.get("allOf", ()), *([schema["items"]] if "items" in schema else ())]
    for part in parts:
        yield from described(part, document, seen)


def answer_of(document, method, path):
    answer = document["paths"][path][method]["responses"][200]
    name = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return document["components"]["schemas"][name]["properties"]["data"]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
class TestDescription:
    def test_no_answer_holds_an_object_of_anything(self, document, method, path):
        for schema in described(answer_of(document, method, path), document, set()):
            assert schema.get("additionalProperties") is not True, schema
            if schema.get("type") == "object" and "additionalProperties" not in schema:
                assert schema["properties"], schema

    def test_the_operation_has_a_short_id(self, document, method, path):
        assert document["paths"][path][method]["operationId"] == OPERATIONS[method, path]


def test_a_receipt_is_described_field_by_field(document):
    receipt = document["components"]["schemas"]["ReceiptOut"]
    assert {"receipt_id", "receipt_number", "credits", "amount_cents", "refunded_credits"} <= set(
        receipt["required"]
    )
