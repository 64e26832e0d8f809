"""Flags that several commands take."""

from imageskill.cli.grammar.spec import FILE, INTEGER, JSON, NUMBER, REFERENCE, SWITCH, TEXT, Flag

GLOBAL = (
    Flag("json", "Print the envelope as JSON, also on a terminal.", kind=SWITCH),
    Flag(
        "api-base-url",
        "Use another server; IMAGE_SKILL_API_BASE_URL does the same.",
        "URL",
        is_local=True,
    ),
    Flag("help", "Show help for the command.", kind=SWITCH),
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
    "The same key and terms return the first result again instead of charging twice.",
    "KEY",
    field="idempotency_key",
)
REQUIRED_IDEMPOTENCY_KEY = IDEMPOTENCY_KEY._replace(is_required=True)
LIMIT = Flag("limit", "How many to list, 1 to 100.", "N", kind=INTEGER, field="limit")
CURSOR = Flag(
    "cursor", "Where to continue: next_cursor of an earlier answer.", "CURSOR", field="cursor"
)
PROVENANCE = Flag(
    "provenance",
    "Show provider and model too; needs the permission provenance.read.",
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
        "How many images; each model has its own maximum.",
        "N",
        kind=INTEGER,
        field="output_count",
    ),
    Flag(
        "model-parameters-json",
        "Parameters of the chosen model, as `models show` lists them.",
        "JSON",
        kind=JSON,
        field="model_parameters",
    ),
    Flag(
        "output-json",
        "Preferred format and size of the output.",
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
OVERWRITE = Flag("overwrite", "Replace an existing file.", kind=SWITCH, is_local=True)
SAVING = (
    Flag(
        "output",
        "Save the image in this file; further ones beside it, as NAME-2 and so on.",
        "FILE",
        kind=FILE,
        is_local=True,
    ),
    OVERWRITE,
)
GUIDE = Flag(
    "guide",
    "Show the next step and its cost instead; spends nothing and needs no token.",
    kind=SWITCH,
    waives_requirements=True,
)
GUARDS = (
    Flag(
        "max-estimated-usd-per-image",
        "Refuse if the estimated provider cost of an image is higher.",
        "USD",
        kind=NUMBER,
        field="max_estimated_usd_per_image",
    ),
    Flag("max-usd", "Refuse if the total is higher.", "USD", kind=NUMBER, field="max_usd"),
    Flag(
        "accept-unknown-cost",
        "Proceed although the cost can't be known beforehand.",
        kind=SWITCH,
        field="accept_unknown_cost",
        default=False,
    ),
    Flag(
        "dry-run",
        "Plan and price it; nothing is generated or charged.",
        kind=SWITCH,
        field="dry_run",
        default=False,
    ),
    IDEMPOTENCY_KEY,
)
