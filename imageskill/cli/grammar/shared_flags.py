"""Flags that several commands take."""

from imageskill.cli.grammar.spec import INTEGER, JSON, NUMBER, REFERENCE, SWITCH, TEXT, Flag

GLOBAL = (
    Flag("json", "Write the envelope as JSON, also on a terminal.", kind=SWITCH),
    Flag(
        "api-base-url",
        "Talk to another server; IMAGE_SKILL_API_BASE_URL does the same.",
        "URL",
        is_local=True,
    ),
    Flag("help", "Explain the command.", kind=SWITCH),
)
CREDENTIAL = (
    Flag("token-stdin", "Read the token from standard input.", kind=SWITCH, is_local=True),
    Flag(
        "token",
        "The token itself. Other users of the machine can see it; prefer --token-stdin.",
        "TOKEN",
        is_local=True,
        is_hidden=True,
    ),
)
IDEMPOTENCY_KEY = Flag(
    "idempotency-key",
    "The same key and terms give the first result again instead of a second charge.",
    "KEY",
    field="idempotency_key",
)
REQUIRED_IDEMPOTENCY_KEY = IDEMPOTENCY_KEY._replace(is_required=True)
LIMIT = Flag("limit", "How many to list, 1 to 100.", "N", kind=INTEGER, field="limit")
CURSOR = Flag(
    "cursor", "Where to go on: next_cursor of an earlier answer.", "CURSOR", field="cursor"
)
PROVENANCE = Flag(
    "provenance",
    "Show provider and model too; needs the grant provenance.read.",
    kind=SWITCH,
    field="provenance",
)
PROMPT = (
    Flag("prompt", "What to make.", "PROMPT", field="prompt"),
    Flag("prompt-file", "Read the prompt from this file.", "FILE", kind=TEXT, is_local=True),
)
MODEL = (
    Flag("model", "A model id of `models list`.", "MODEL_ID", field="model"),
    Flag("provider", "Only models of this provider.", "PROVIDER", field="provider"),
    Flag(
        "intent",
        "What it is for, such as explore, draft, final, product or hero.",
        "INTENT",
        field="intent",
    ),
)
SIZE = (
    Flag(
        "output-count",
        "How many images; the model says how many it can.",
        "N",
        kind=INTEGER,
        field="output_count",
    ),
    Flag(
        "model-parameters-json",
        "Controls of the chosen model, as `models show` lists them.",
        "JSON",
        kind=JSON,
        field="model_parameters",
    ),
    Flag(
        "output-json",
        "Wishes for format and size of the output.",
        "JSON",
        kind=JSON,
        field="output",
    ),
)
REFERENCES = (
    Flag(
        "element-frontal",
        "The front view of an element.",
        "IMAGE[@ELEMENT]",
        kind=REFERENCE,
        is_repeatable=True,
    ),
    Flag(
        "element-reference",
        "A further view of an element, at most three each.",
        "IMAGE[@ELEMENT[:SLOT]]",
        kind=REFERENCE,
        is_repeatable=True,
    ),
    Flag(
        "reference-image",
        "A reference image; TASK is ip, id or style where the model takes one.",
        "IMAGE[@INDEX[:TASK]]",
        kind=REFERENCE,
        is_repeatable=True,
    ),
)
GUARDS = (
    Flag(
        "max-estimated-usd-per-image",
        "Refuse when one image would cost the provider more.",
        "USD",
        kind=NUMBER,
        field="max_estimated_usd_per_image",
    ),
    Flag("max-usd", "Refuse when all would cost more.", "USD", kind=NUMBER, field="max_usd"),
    Flag(
        "accept-unknown-cost",
        "Go ahead although the cost can't be known beforehand.",
        kind=SWITCH,
        field="accept_unknown_cost",
        default=False,
    ),
    Flag(
        "dry-run",
        "Plan and price it; nothing is made, nothing is charged.",
        kind=SWITCH,
        field="dry_run",
        default=False,
    ),
    IDEMPOTENCY_KEY,
)
