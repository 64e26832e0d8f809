"""Commands about activity and feedback."""

from imageskill.cli.grammar.shared_flags import CREDENTIAL, CURSOR, LIMIT
from imageskill.cli.grammar.spec import SWITCH, WORDS, Command, Endpoint, Flag, Rule

TOPIC = "Activity and feedback"
LEVELS = ("low", "medium", "high")

COMMANDS = (
    Command(
        ("activity", "list"),
        TOPIC,
        "List recent events of your organization, newest first.",
        Endpoint("GET", "/v1/activity"),
        (
            LIMIT,
            Flag(
                "subject",
                "Only events about this job, asset, report or trace.",
                "ID",
                field="subject",
            ),
            CURSOR,
            *CREDENTIAL,
        ),
        notes="The record of what happened. To follow a running job, use `jobs wait`.",
        examples=("image-skill activity list --limit 20 --json",),
    ),
    Command(
        ("activity", "show"),
        TOPIC,
        "Show one event, or the events about a job, asset, usage, report or trace.",
        Endpoint("GET", "/v1/activity/{reference}"),
        (
            Flag(
                "reference",
                "The id of an event, job, asset, usage, report or trace.",
                "REFERENCE",
                field="reference",
                is_required=True,
                is_positional=True,
            ),
            *CREDENTIAL,
        ),
        examples=("image-skill activity show FEEDBACK_ID --json",),
    ),
    Command(
        ("feedback", "create"),
        TOPIC,
        "Report what failed, was confusing, or is missing.",
        Endpoint("POST", "/v1/feedback"),
        (
            Flag("title", "A one-line summary.", "TITLE", field="title"),
            Flag("body", "What happened, what should have, why it matters.", "BODY", field="body"),
            Flag("type", "What kind of report.", "TYPE", field="type", default="user_feedback"),
            Flag("command", "The command or workflow.", "COMMAND", field="command"),
            Flag("expected", "What you expected.", "TEXT", field="expected"),
            Flag("actual", "What happened instead.", "TEXT", field="actual"),
            Flag("friction", "What made it hard.", "TEXT", field="friction"),
            Flag(
                "proof-needed", "What would prove that it is solved.", "TEXT", field="proof_needed"
            ),
            Flag(
                "strategic-reason",
                "Why it matters beyond this case.",
                "TEXT",
                field="strategic_reason",
            ),
            Flag(
                "surface",
                "The surfaces it concerns, such as cli,docs.",
                "LIST",
                kind=WORDS,
                field="surface",
                default=["cli"],
            ),
            Flag(
                "evidence",
                "Evidence, such as trace:TRACE_ID,job:JOB_ID.",
                "LIST",
                kind=WORDS,
                field="evidence",
                default=[],
            ),
            Flag(
                "severity",
                "How severe it is.",
                "LEVEL",
                field="severity",
                default="medium",
                choices=(*LEVELS, "critical"),
            ),
            Flag(
                "confidence",
                "How sure you are.",
                "LEVEL",
                field="confidence",
                default="medium",
                choices=LEVELS,
            ),
            Flag(
                "next-state",
                "The next state you want: watch, fix, build, decline.",
                "STATE",
                field="next_state",
                default="watch",
            ),
            Flag("dedupe-key", "Your own key for the same finding.", "KEY", field="dedupe_key"),
            Flag("source", "Where the report comes from.", "SOURCE", field="source"),
            Flag("trace-id", "The trace it is about.", "TRACE_ID", field="trace_id"),
            Flag(
                "allow-weak-signal",
                "Send it although it has few details.",
                kind=SWITCH,
                field="allow_weak_signal",
            ),
            *CREDENTIAL,
        ),
        (Rule("at_least", ("title", "body")),),
        notes="Leave out prompts, keys, images and private data.",
        examples=(
            (
                'image-skill feedback create --title "Short concrete title" --body "What happened, '
                'what was expected, and why it matters" --evidence trace:TRACE_ID --json'
            ),
        ),
    ),
)
