"""What tools and their arguments say to a model: what they do here, over this transport."""

import re

SIGN_UP_AGAIN = "The connection goes on with the token that it was opened with."

# By the tool's name: what it does, and what differs where files of the caller can be reached.
TOOLS: dict[str, tuple[str, str, str]] = {
    "trust": (
        (
            "Show what vouches for this service: versions, hashes of its documents, health, and "
            "which models made images lately. Needs no token and spends nothing."
        ),
        "",
        "",
    ),
    "signup": (
        "Create a restricted account for an agent: preview credits, no person needed.",
        (
            f"The answer holds the token, shown this once. {SIGN_UP_AGAIN} Set the new token "
            f"as its "
            "bearer token to use the account."
        ),
        "The token is saved in the config file of this machine and stays out of the answer.",
    ),
    "claim_request": (
        (
            "Ask a person's inbox to take responsibility for this agent. The inbox gets one "
            "message "
            "with one link; nothing changes until its owner decides."
        ),
        "",
        "",
    ),
    "whoami": (
        "Show who is calling: agent, organization, claim state, permissions and limits.",
        "",
        "",
    ),
    "usage_quota": (
        "Show credits, jobs left today and limits. Check it before you spend.",
        "",
        "",
    ),
    "credits_methods": ("List the payment methods and which of them need a person.", "", ""),
    "credits_packs_list": ("List the packs of credits on sale.", "", ""),
    "credits_quote": (
        (
            "Quote the price of a pack, or of an exact number of credits: give pack or "
            "credits, not "
            "both. One credit is worth one US cent. Grants nothing."
        ),
        "",
        "",
    ),
    "credits_buy": (
        (
            "Open a Stripe Checkout session for a quote. A person pays it in a browser: hand them "
            "checkout_handoff_url. Credits are granted once Stripe has confirmed the "
            "payment; check "
            "credits_status. Never send card data or secrets."
        ),
        "",
        "",
    ),
    "credits_status": (
        "Show the status of a purchase by one of its ids, or without any the balance of credits.",
        "",
        "",
    ),
    "credits_fake_purchase": (
        "Confirm a quote of the fake payment method: credits for testing, no money moves.",
        "",
        "",
    ),
    "models_list": (
        (
            "List models as a menu: id, what it makes, credits for an image, and whether it "
            "can run now. Those that are only catalogued are left out, and left_out says how "
            "many. Pages: pass next_cursor as cursor. Use models_show for a model's parameters."
        ),
        "",
        "",
    ),
    "models_show": (
        (
            "Show one model: media, limits, price, and the schema of its parameters. Read it "
            "before "
            "you assume that a model takes seeds, masks, references or a size."
        ),
        "",
        "",
    ),
    "capabilities_list": (
        "List the same catalog by capability, as a menu in pages. Use capabilities_show for one.",
        "",
        "",
    ),
    "capabilities_show": (
        "Show one capability with its parameters and requirements.",
        "",
        "",
    ),
    "create": (
        (
            "Make images from a prompt. This spends credits; with dry_run it plans and "
            "prices only, "
            "and needs no token. Without model the strongest one that fits intent and budget is "
            "chosen, and request.selection says which and why. The result shows a preview "
            "and links "
            "to the originals. A run that takes longer than the server waits answers with "
            "job.status "
            "running: then call jobs_wait. After a retryable error call it again with the same "
            "idempotency_key."
        ),
        "References name assets of yours: call upload first for an image of your own.",
        (
            "References may be asset ids, files of this machine or URLs; files and URLs are "
            "uploaded "
            "first."
        ),
    ),
    "edit": (
        (
            "Change an image. This spends credits; with dry_run it plans and prices only. "
            "Where the "
            "cost can't be known beforehand it needs accept_unknown_cost. Variation models take no "
            "prompt; all others need one. A run that takes longer than the server waits "
            "answers with "
            "job.status running: then call jobs_wait."
        ),
        (
            "Image, mask and references name assets of yours: call upload first for an image "
            "of your "
            "own."
        ),
        (
            "Image, mask and references may be asset ids, files of this machine or URLs; files and "
            "URLs are uploaded first."
        ),
    ),
    "upload": (
        "Upload an image, so that edit and references can name it.",
        "",
        "It is a file of this machine, or a URL that this machine fetches.",
    ),
    "assets_list": ("List your organization's images, newest first, in pages.", "", ""),
    "assets_show": ("Show an image with its details and a preview.", "", ""),
    "assets_get": (
        (
            "Save an image to a file of this machine. Length and hash are checked; a download that "
            "fails leaves no file behind."
        ),
        "",
        "",
    ),
    "assets_delete": ("Delete an image; its URL answers 410 from then on.", "", ""),
    "jobs_list": ("List your organization's jobs, newest first, in pages.", "", ""),
    "jobs_show": ("Show a job: status, times, cost, its images and a preview.", "", ""),
    "jobs_wait": (
        (
            "Wait until a job has ended, and show it with a preview. When the time is up first it "
            "answers TIMEOUT: call it again."
        ),
        "",
        "",
    ),
    "jobs_cancel": ("Cancel a job that has not finished; its credits come back.", "", ""),
    "activity_list": (
        (
            "List recent events of your organization, newest first, in pages. To follow a running "
            "job use jobs_wait."
        ),
        "",
        "",
    ),
    "activity_show": (
        "Show one event, or the events about a job, asset, usage, report, purchase or trace.",
        "",
        "",
    ),
    "feedback_create": (
        (
            "Report what failed, was confusing or is missing. Give a title or a body at "
            "least. Leave "
            "out prompts, keys, images and private data."
        ),
        "",
        "",
    ),
}

_ASSET = "An asset id, or the URL of an asset of yours."

# By the argument's name, where the flag's own help speaks of the command line: over HTTP, and on
# the caller's machine.
ARGUMENTS: dict[str, tuple[str, str]] = {
    "agent": ("Always true.", "Always true."),
    "input": (
        f"The image to change. {_ASSET}",
        "The image: an asset id, a file of this machine or a URL.",
    ),
    "mask": (
        f"Where to change it, for models with a mask. {_ASSET}",
        "Where to change it, for models with a mask: an asset id, a file of this machine or a URL.",
    ),
    "element_frontal": (
        "The front views of elements, each an asset id, then @ and the element's number from 0.",
        (
            "The front views of elements, each an asset id, file or URL, then @ and the element's "
            "number from 0."
        ),
    ),
    "element_reference": (
        (
            "Further views of elements, at most three each: an asset id, then @, the "
            "element's number, "
            "and optionally : and the slot from 0 to 2."
        ),
        (
            "Further views of elements, at most three each: an asset id, file or URL, then @, the "
            "element's number, and optionally : and the slot from 0 to 2."
        ),
    ),
    "reference_image": (
        (
            "Reference images: each an asset id, then @ and its number from 0, and "
            "optionally : and a "
            "task (ip, id or style) where the model takes one."
        ),
        (
            "Reference images: each an asset id, file or URL, then @ and its number from 0, and "
            "optionally : and a task (ip, id or style) where the model takes one."
        ),
    ),
    "model": ("A model id of models_list.", "A model id of models_list."),
    "model_parameters": (
        "Parameters of the chosen model, as models_show lists them.",
        "Parameters of the chosen model, as models_show lists them.",
    ),
    "pack": ("A pack of credits_packs_list.", "A pack of credits_packs_list."),
    "payment_method": ("One of credits_methods.", "One of credits_methods."),
    "human_email": ("The older name of agent_contact.", "The older name of agent_contact."),
    "timeout_ms": (
        "Give up after this long; the server waits less than a minute at once.",
        "Give up after this long.",
    ),
}


_COMMAND = re.compile(r"`([a-z]+(?:[ -][a-z]+)*)`")


def of_tool(name: str, *, runs_locally: bool) -> str:
    """Return the description of a tool."""
    what, remote, local = TOOLS[name]
    return f"{what} {local if runs_locally else remote}".strip()


def of_argument(name: str, otherwise: str, *, runs_locally: bool) -> str:
    """Return the description of an argument, the flag's own help where that is true here too."""
    tools_named = _COMMAND.sub(lambda match: re.sub("[ -]", "_", match[1]), otherwise)
    remote, local = ARGUMENTS.get(name, (tools_named, tools_named))
    return local if runs_locally else remote
