"""Commands about what can be made."""

from imageskill.cli.grammar.shared_flags import CREDENTIAL
from imageskill.cli.grammar.spec import SWITCH, Command, Endpoint, Flag, Rule

TOPIC = "Models"

COMMANDS = (
    Command(
        ("models", "list"),
        TOPIC,
        "List models with operations, prices and whether they run here.",
        Endpoint("GET", "/v1/models"),
        (
            Flag("available", "Only those that can be used now.", kind=SWITCH, field="available"),
            Flag("executable", "Only those wired to a provider.", kind=SWITCH, field="executable"),
            Flag(
                "catalog-only",
                "Only those known but not wired.",
                kind=SWITCH,
                field="catalog_only",
                default=False,
                lifted_by=("all", "available", "executable"),
            ),
            Flag("all", "Those known but not wired, too.", kind=SWITCH),
            Flag("operation", "Only those that can do this.", "OPERATION", field="operation"),
            Flag("modality", "Only this kind of media.", "MODALITY", field="modality"),
            Flag("provider", "Only this provider's.", "PROVIDER", field="provider"),
            Flag("query", "Only those whose id or name has this text.", "TEXT", field="query"),
            Flag("details", "Full rows with parameter schemas.", kind=SWITCH, field="details"),
            Flag(
                "summary",
                "Compact rows without parameter schemas.",
                kind=SWITCH,
                field="details",
                sent_as="compact",
            ),
            *CREDENTIAL,
        ),
        (
            Rule("at_most", ("available", "catalog-only")),
            Rule("at_most", ("executable", "catalog-only")),
            Rule("at_most", ("all", "catalog-only")),
            Rule("at_most", ("summary", "details")),
        ),
        auth="none",
        aliases=(("models",),),
        notes=(
            "Models that are known but not wired are left out; `summary.left_out` says how many, "
            "`--all` adds them and `--catalog-only` lists them alone."
        ),
        examples=("image-skill models list --available --operation image.generate --json",),
    ),
    Command(
        ("models", "show"),
        TOPIC,
        "Show one model: media, limits, price, and the schema of its parameters.",
        Endpoint("GET", "/v1/models/{model_id}"),
        (
            Flag(
                "model-id",
                "A model id, an alias, or default.",
                "MODEL_ID",
                field="model_id",
                is_required=True,
                is_positional=True,
            ),
            *CREDENTIAL,
        ),
        auth="none",
        notes="Read it before you assume that a model takes seeds, masks, references or a size.",
        examples=("image-skill models show openai.gpt-image-2 --json",),
    ),
    Command(
        ("capabilities", "list"),
        TOPIC,
        "List the same catalog by capability.",
        Endpoint("GET", "/v1/capabilities"),
        CREDENTIAL,
        auth="none",
        aliases=(("capabilities",),),
        examples=("image-skill capabilities list --json",),
    ),
    Command(
        ("capabilities", "show"),
        TOPIC,
        "Show one capability with its parameters and requirements.",
        Endpoint("GET", "/v1/capabilities/{capability_id}"),
        (
            Flag(
                "capability-id",
                "A capability id.",
                "CAPABILITY_ID",
                field="capability_id",
                is_required=True,
                is_positional=True,
            ),
            *CREDENTIAL,
        ),
        auth="none",
        examples=("image-skill capabilities show is.image.generate.preview.v1 --json",),
    ),
)
