"""Commands about the client itself."""

from imageskill.cli.grammar.spec import SWITCH, Command, Endpoint, Flag

TOPIC = "The client"
SHELLS = ("bash", "zsh", "fish")

COMMANDS = (
    Command(
        ("doctor",),
        TOPIC,
        "Check client, server, token, folders, telemetry and unfinished requests.",
        Endpoint("GET", "/healthz"),
        (
            Flag(
                "sweep-in-flight",
                "Delete records of unfinished requests older than a day.",
                kind=SWITCH,
            ),
        ),
        auth="none",
        module="doctor",
        is_local=True,
        instead="GET /healthz",
        examples=("image-skill doctor --json",),
    ),
    Command(
        ("trust",),
        TOPIC,
        "Check whether the service can be relied on: versions, documents by hash, health, models.",
        Endpoint("GET", "/v1/trust"),
        auth="none",
        module="trust",
        notes=(
            "It reads no token and no config beyond the server's address, and it spends nothing. "
            "`summary.status` is usable, usable_with_warnings, inspect_only, stale_or_mismatched "
            "or unavailable. Each document is downloaded and its hash compared with the one that "
            "the API names; `recent_runs` are the models that made images lately."
        ),
        examples=("image-skill trust --json",),
    ),
    Command(
        ("help",),
        TOPIC,
        "Explain a command, or list them all.",
        flags=(
            Flag(
                "command",
                "The words of the command.",
                "COMMAND",
                is_positional=True,
                is_repeatable=True,
            ),
        ),
        auth="none",
        module="help",
        examples=("image-skill help create --json",),
    ),
    Command(
        ("version",),
        TOPIC,
        "Show the version of the client.",
        auth="none",
        module="version",
        examples=("image-skill version --json",),
    ),
    Command(
        ("completion",),
        TOPIC,
        "Print the completion script for a shell.",
        flags=(
            Flag(
                "shell", "The shell.", "SHELL", choices=SHELLS, is_required=True, is_positional=True
            ),
        ),
        auth="none",
        module="completion",
        is_local=True,
        instead="GET /cli.md",
        examples=("image-skill completion bash",),
    ),
    Command(
        ("mcp",),
        TOPIC,
        "Serve the same operations as MCP tools over standard input and output.",
        auth="optional",
        module="mcp",
        is_local=True,
        instead="POST /mcp",
        examples=("image-skill mcp",),
    ),
)
