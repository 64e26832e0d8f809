"""Commands about who is calling."""

from imageskill.cli.grammar.shared_flags import CREDENTIAL
from imageskill.cli.grammar.spec import SWITCH, Command, Endpoint, Flag

TOPIC = "Identity"

COMMANDS = (
    Command(
        ("signup",),
        TOPIC,
        "Create a restricted account for an agent.",
        Endpoint("POST", "/v1/agent-signups"),
        (
            Flag(
                "agent",
                "The account is an agent's; no other kind exists.",
                kind=SWITCH,
                is_required=True,
            ),
            Flag(
                "agent-contact",
                "An inbox that answers for the agent; it is asked to claim it.",
                "INBOX",
                field="agent_contact",
                aliases=("human-email",),
            ),
            Flag(
                "agent-name",
                "What to call the agent.",
                "NAME",
                field="agent_name",
                is_required=True,
            ),
            Flag(
                "runtime", "What the agent runs in.", "RUNTIME", field="runtime", is_required=True
            ),
            Flag(
                "discovery-source",
                "Where the agent found the service.",
                "SOURCE",
                field="discovery_source",
            ),
            Flag(
                "save",
                "Save the token in the config file (the default).",
                kind=SWITCH,
                is_local=True,
            ),
            Flag("no-save", "Do not change the config file.", kind=SWITCH),
            Flag("show-token", "Print the token; it is shown only once.", kind=SWITCH),
            *CREDENTIAL,
        ),
        auth="optional",
        module="signup",
        notes=(
            "The token goes into the config file, mode 0600, and is redacted from the answer. "
            "`--show-token` prints it instead, for runtimes with a secret store of their own; add "
            "`--save` to do both. Without a contact the account works the same and can be claimed "
            "later. `--human-email` is the older name of `--agent-contact`. With `--token-stdin` "
            "the current token is replaced by a new one and stops working."
        ),
        examples=(
            (
                "image-skill signup --agent --agent-contact agent-ops@example.com "
                "--agent-name creative-agent --runtime codex --save --json"
            ),
        ),
    ),
    Command(
        ("auth", "status"),
        TOPIC,
        "Show whether there is a token, where it comes from and whether it works.",
        Endpoint("GET", "/v1/whoami"),
        CREDENTIAL,
        auth="optional",
        module="auth_status",
        is_local=True,
        instead="GET /v1/whoami",
        examples=("image-skill auth status --json",),
    ),
    Command(
        ("auth", "save"),
        TOPIC,
        "Save a token from standard input or IMAGE_SKILL_TOKEN in the config file.",
        flags=CREDENTIAL,
        auth="none",
        module="auth_save",
        is_local=True,
        instead="the header Authorization: Bearer TOKEN",
        examples=(
            "printf '%s\\n' \"$IMAGE_SKILL_TOKEN\" | image-skill auth save --token-stdin --json",
        ),
    ),
    Command(
        ("auth", "logout"),
        TOPIC,
        "Delete the config file. The token itself stays valid.",
        auth="none",
        module="auth_logout",
        is_local=True,
        instead="the header Authorization: Bearer TOKEN",
        examples=("image-skill auth logout --json",),
    ),
    Command(
        ("claim", "request"),
        TOPIC,
        "Ask an inbox to take responsibility for this agent.",
        Endpoint("POST", "/v1/agent-claims"),
        (
            Flag("contact", "The inbox to ask.", "INBOX", field="contact", is_required=True),
            *CREDENTIAL,
        ),
        notes="The inbox gets one message with one link; nothing changes until its owner decides.",
        examples=("image-skill claim request --contact agent-ops@example.com --json",),
    ),
    Command(
        ("whoami",),
        TOPIC,
        "Show who is calling: agent, organization, claim state, permissions and limits.",
        Endpoint("GET", "/v1/whoami"),
        CREDENTIAL,
        examples=("image-skill whoami --json",),
    ),
    Command(
        ("usage", "quota"),
        TOPIC,
        "Show credits, jobs left today and limits: the check before spending.",
        Endpoint("GET", "/v1/quota"),
        CREDENTIAL,
        aliases=(("quota",),),
        examples=("image-skill usage quota --json",),
    ),
)
