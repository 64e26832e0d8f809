"""Commands that make images, and those about assets and jobs."""

from imageskill.cli.grammar.shared_flags import (
    CREDENTIAL,
    CURSOR,
    GUARDS,
    GUIDE,
    LIMIT,
    MODEL,
    OVERWRITE,
    PROMPT,
    PROVENANCE,
    REFERENCES,
    SAVING,
    SIZE,
)
from imageskill.cli.grammar.spec import (
    ASSET,
    FILE,
    IMAGE,
    INTEGER,
    Command,
    Endpoint,
    Flag,
    Rule,
)

TOPIC = "Images"
ASPECT_RATIO = Flag("aspect-ratio", "Width to height, such as 16:9.", "RATIO", field="aspect_ratio")
ASSET_ID = Flag(
    "id",
    "An asset id or an Image Skill asset URL.",
    "ASSET_ID_OR_URL",
    kind=ASSET,
    field="asset_id",
    is_required=True,
    is_positional=True,
)
JOB_ID = Flag("job-id", "A job id.", "JOB_ID", field="job_id", is_required=True, is_positional=True)

COMMANDS = (
    Command(
        ("create",),
        TOPIC,
        "Make an image from a prompt, or plan one with --dry-run.",
        Endpoint("POST", "/v1/create"),
        (
            *PROMPT,
            *MODEL,
            ASPECT_RATIO._replace(default="1:1"),
            Flag("modality", "The kind of media, such as image.", "MODALITY", field="modality"),
            *SIZE,
            *REFERENCES,
            *GUARDS,
            GUIDE,
            *SAVING,
            *CREDENTIAL,
        ),
        (Rule("exactly", ("prompt", "prompt-file")),),
        auth="optional",
        module="spend",
        is_spending=True,
        notes=(
            "Without `--model` the strongest model that fits intent and budget is chosen, and "
            "`request.selection` says which and why. References may be asset ids, local files or "
            "URLs; files and URLs are uploaded first. A dry run needs no token unless it names "
            "references. When a run takes longer than the server waits, the answer is still a "
            "success with `job.status` running; `jobs wait` returns the result."
        ),
        examples=(
            'image-skill create --dry-run --prompt "A field camera on a workbench" --json',
            (
                'image-skill create --prompt "A field camera on a workbench" --intent explore '
                "--max-estimated-usd-per-image 0.05 --output ./result.png --json"
            ),
        ),
    ),
    Command(
        ("upload",),
        TOPIC,
        "Upload a local image, or one from a URL.",
        Endpoint("POST", "/v1/upload"),
        (
            Flag(
                "input",
                "A PNG, JPEG, WebP, GIF or AVIF: a path or a URL.",
                "PATH_OR_URL",
                kind=FILE,
                is_required=True,
                is_positional=True,
            ),
            *CREDENTIAL,
        ),
        module="upload",
        is_local=True,
        instead="POST /v1/upload",
        notes="Your machine reads the file or fetches the URL; the server never fetches anything.",
        examples=("image-skill upload ./source.png --json",),
    ),
    Command(
        ("edit",),
        TOPIC,
        "Change an image: an asset of yours, a local file or a URL.",
        Endpoint("POST", "/v1/edit"),
        (
            Flag(
                "input",
                "The image to change.",
                "ASSET_ID_OR_PATH_OR_URL",
                kind=IMAGE,
                field="input_asset_id",
                is_positional=True,
            ),
            Flag(
                "input-asset-id",
                "The same, as an asset id only.",
                "ASSET_ID",
                kind=ASSET,
                field="input_asset_id",
                is_hidden=True,
            ),
            Flag(
                "mask",
                "Where to change it, for models with a mask.",
                "ASSET_ID_OR_PATH_OR_URL",
                kind=IMAGE,
                field="mask_asset_id",
            ),
            *PROMPT,
            *MODEL,
            ASPECT_RATIO._replace(default="auto"),
            *SIZE,
            *REFERENCES,
            *GUARDS,
            GUIDE,
            *SAVING,
            *CREDENTIAL,
        ),
        (
            Rule("exactly", ("input", "input-asset-id")),
            Rule("at_most", ("prompt", "prompt-file")),
        ),
        module="spend",
        is_spending=True,
        notes=(
            "Files and URLs are uploaded first; the edit itself names assets only. Where the cost "
            "can't be known beforehand, it needs `--accept-unknown-cost`. Variation models take no "
            "prompt."
        ),
        examples=(
            (
                'image-skill edit --input ASSET_ID --prompt "Remove the background" '
                "--accept-unknown-cost --json"
            ),
        ),
    ),
    Command(
        ("assets", "list"),
        TOPIC,
        "List your organization's images, newest first.",
        Endpoint("GET", "/v1/assets"),
        (LIMIT, CURSOR, PROVENANCE, *CREDENTIAL),
        examples=("image-skill assets list --limit 20 --json",),
    ),
    Command(
        ("assets", "show"),
        TOPIC,
        "Show the details of an image.",
        Endpoint("GET", "/v1/assets/{asset_id}"),
        (ASSET_ID, PROVENANCE, *CREDENTIAL),
        examples=("image-skill assets show ASSET_ID --json",),
    ),
    Command(
        ("assets", "get"),
        TOPIC,
        "Download an image.",
        Endpoint("GET", "/v1/assets/{asset_id}"),
        (
            ASSET_ID,
            Flag(
                "output",
                "Where to save it; named after the asset id by default.",
                "PATH",
                kind=FILE,
                is_local=True,
            ),
            OVERWRITE,
            *CREDENTIAL,
        ),
        module="assets_get",
        is_local=True,
        instead="GET /v1/assets/{asset_id}, then its url",
        notes="Length and hash are checked; a download that fails leaves no file behind.",
        examples=("image-skill assets get ASSET_ID --output ./result.png --json",),
    ),
    Command(
        ("assets", "delete"),
        TOPIC,
        "Delete an image; its URL answers 410 from then on.",
        Endpoint("DELETE", "/v1/assets/{asset_id}"),
        (ASSET_ID, *CREDENTIAL),
        examples=("image-skill assets delete ASSET_ID --json",),
    ),
    Command(
        ("jobs", "list"),
        TOPIC,
        "List your organization's jobs, newest first.",
        Endpoint("GET", "/v1/jobs"),
        (LIMIT, CURSOR, PROVENANCE, *CREDENTIAL),
        examples=("image-skill jobs list --limit 20 --json",),
    ),
    Command(
        ("jobs", "show"),
        TOPIC,
        "Show a job: status, times, cost and its images.",
        Endpoint("GET", "/v1/jobs/{job_id}"),
        (JOB_ID, PROVENANCE, *CREDENTIAL),
        module="jobs_show",
        examples=("image-skill jobs show JOB_ID --json",),
    ),
    Command(
        ("jobs", "wait"),
        TOPIC,
        "Wait until a job is completed, failed or canceled.",
        Endpoint("GET", "/v1/jobs/{job_id}"),
        (
            JOB_ID,
            Flag(
                "timeout-ms",
                "Give up after this long.",
                "MS",
                kind=INTEGER,
                default=30_000,
                minimum=0,
            ),
            Flag(
                "poll-interval-ms",
                "How often to ask.",
                "MS",
                kind=INTEGER,
                default=1_000,
                minimum=50,
            ),
            *CREDENTIAL,
        ),
        module="jobs_wait",
        examples=("image-skill jobs wait JOB_ID --timeout-ms 30000 --json",),
    ),
    Command(
        ("jobs", "cancel"),
        TOPIC,
        "Cancel a job that has not finished.",
        Endpoint("POST", "/v1/jobs/{job_id}/cancel"),
        (JOB_ID, *CREDENTIAL),
        examples=("image-skill jobs cancel JOB_ID --json",),
    ),
)
