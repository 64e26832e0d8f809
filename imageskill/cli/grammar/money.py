"""Commands about credits and paying for them."""

from imageskill.cli.grammar.shared_flags import (
    CREDENTIAL,
    IDEMPOTENCY_KEY,
    REQUIRED_IDEMPOTENCY_KEY,
)
from imageskill.cli.grammar.spec import INTEGER, Command, Endpoint, Flag, Rule

TOPIC = "Credits"
QUOTE_ID = Flag("quote-id", "The quote to act on.", "QUOTE_ID", field="quote_id")
CHECKOUT = "/v1/credit-purchases/stripe-checkout-sessions"

COMMANDS = (
    Command(
        ("credits", "methods"),
        TOPIC,
        "List payment methods, whether they are available, and which need a person.",
        Endpoint("GET", "/v1/payment-methods"),
        CREDENTIAL,
        auth="none",
        examples=("image-skill credits methods --json",),
    ),
    Command(
        ("credits", "packs", "list"),
        TOPIC,
        "List the packs of credits on sale.",
        Endpoint("GET", "/v1/credit-packs"),
        CREDENTIAL,
        auth="none",
        examples=("image-skill credits packs list --json",),
    ),
    Command(
        ("credits", "quote"),
        TOPIC,
        "Quote the price of a pack or of an exact number of credits. Grants no credits.",
        Endpoint("POST", "/v1/credit-quotes"),
        (
            Flag("pack", "A pack of `credits packs list`.", "PACK_ID", field="pack_id"),
            Flag(
                "credits", "An exact number of credits instead.", "N", kind=INTEGER, field="credits"
            ),
            Flag(
                "payment-method",
                "One of `credits methods`.",
                "METHOD",
                field="payment_method",
                default="fake",
            ),
            IDEMPOTENCY_KEY,
            *CREDENTIAL,
        ),
        (Rule("exactly", ("pack", "credits")),),
        module="credits_quote",
        notes=(
            "One credit is worth one US cent. A key belongs to one agent and one set of terms; "
            "when pack, credits or payment method differ, the error suggests a fresh key."
        ),
        examples=(
            (
                "image-skill credits quote --pack starter-500 --payment-method stripe_checkout "
                "--idempotency-key stripe-pack-quote-run-001 --json"
            ),
            "image-skill credits quote --credits 10 --json",
        ),
    ),
    Command(
        ("credits", "buy"),
        TOPIC,
        "Open a Stripe Checkout session for a quote; a person pays it in a browser.",
        Endpoint("POST", CHECKOUT),
        (
            Flag(
                "provider",
                "Who takes the payment.",
                "PROVIDER",
                choices=("stripe",),
                is_required=True,
            ),
            QUOTE_ID._replace(is_required=True),
            REQUIRED_IDEMPOTENCY_KEY,
            *CREDENTIAL,
        ),
        notes=(
            "Hand `checkout_handoff_url` to whoever pays. Credits are granted once Stripe has "
            "confirmed the payment to the server; check `credits status`. Never send card data or "
            "secrets."
        ),
        examples=(
            (
                "image-skill credits buy --provider stripe --quote-id QUOTE_ID "
                "--idempotency-key stripe-buy-run-001 --json"
            ),
        ),
    ),
    Command(
        ("credits", "status"),
        TOPIC,
        "Show a quote, payment attempt, Checkout session or receipt; without one, the balance.",
        Endpoint("GET", "/v1/credit-purchases/status"),
        (
            Flag(
                "payment-attempt-id",
                "An attempt that `credits buy` opened.",
                "PAYMENT_ATTEMPT_ID",
                field="payment_attempt_id",
            ),
            QUOTE_ID,
            Flag(
                "checkout-session-id",
                "Stripe's own id of the session.",
                "SESSION_ID",
                field="checkout_session_id",
            ),
            Flag("receipt-id", "A receipt.", "RECEIPT_ID", field="receipt_id"),
            *CREDENTIAL,
        ),
        (
            Rule(
                "at_most",
                ("payment-attempt-id", "quote-id", "checkout-session-id", "receipt-id"),
            ),
        ),
        bare_endpoint=Endpoint("GET", "/v1/quota"),
        notes="The balance is what `usage quota` shows.",
        examples=(
            "image-skill credits status --payment-attempt-id PAYMENT_ATTEMPT_ID --json",
            "image-skill credits status --json",
        ),
    ),
    Command(
        ("credits", "fake-purchase"),
        TOPIC,
        "Confirm a quote of the fake payment method: credits for testing, no money moves.",
        Endpoint("POST", "/v1/credit-purchases"),
        (QUOTE_ID._replace(is_required=True), REQUIRED_IDEMPOTENCY_KEY, *CREDENTIAL),
        examples=(
            (
                "image-skill credits fake-purchase --quote-id QUOTE_ID "
                "--idempotency-key purchase-run-001 --json"
            ),
        ),
    ),
)
