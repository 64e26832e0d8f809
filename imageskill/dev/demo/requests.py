"""What agents of a history ask for: a model that they can afford, words, an image to edit."""

from billing import ledger
from imageskill.dev.demo import purchases
from imageskill.dev.demo.runtime.context import Context, Customer
from imageskill.lib.errors import ApiError
from jobs.models import Asset, Job
from jobs.planning.request import GenerationRequest
from jobs.submission import preparation
from jobs.submission import submit as submission

LOCAL, LATE, KILLED = "local.sketch", "fal.flux-dev", "openai.gpt-image-2"
# model -> how often, seconds it takes
_CREATES = {
    "local.sketch": (14, 1),
    "fal.z-image-turbo": (10, 3),
    "fal.flux-dev": (9, 6),
    "fal.kling-image-v3-text-to-image": (5, 5),
    "fal.nano-banana-2": (8, 14),
    "fal.gemini-3-pro-image-preview": (4, 22),
    "openai.gpt-image-2": (7, 31),
    "openai.gpt-image-1.5": (4, 28),
    "xai.grok-imagine-image": (6, 8),
}
_EDITS = {
    "local.sketch-remix": (3, 1),
    "fal.flux-pro-kontext": (4, 9),
    "fal.nano-banana-2-edit": (3, 15),
}
_SUBJECTS = (
    "a fox in a birch forest at dawn",
    "harbor with small boats and gulls",
    "a logo of a paper crane",
    "sea cliffs under a low sun",
    "an astronaut reading on the moon",
    "tiles of lemon and leaf",
    "mountain cabin in deep snow",
    "a city of glass towers in the rain",
    "clock made of planets",
    "silk in the wind, studio light",
    "a river canyon seen from above",
    "poster for a jazz night",
    "robot watering a bonsai",
    "hero image of a running shoe",
    "desert with a single tree",
    "pattern of geometric birds",
)
_MOODS = ("", ", flat colors", ", at dusk", ", in ink", ", wide view", ", soft light")


def model_for(context: Context, customer: Customer, *, is_remote: bool = False) -> str:
    """Choose a model; those who don't pay use the built-in one, which never fails."""
    if not customer.pays and not is_remote:
        return LOCAL
    wanted = _CREATES | _EDITS if _editable(customer) and not is_remote else _CREATES
    return context.random.weighted(
        {
            name: often
            for name, (often, _) in wanted.items()
            if not (is_remote and name.startswith("local."))
        }
    )


def seconds(context: Context, model: str) -> float:
    """Choose how long a run of the model takes."""
    return (_CREATES | _EDITS)[model][1] * context.random.lognormvariate(0, 0.35)


def words(context: Context) -> str:
    """Choose a prompt."""
    return context.random.choice(_SUBJECTS) + context.random.choice(_MOODS)


def submit(context: Context, customer: Customer, model: str) -> Job | None:
    """Submit a job, after a purchase where credits are missing; None where it is refused."""
    source = _editable(customer) if model in _EDITS else None
    request = GenerationRequest(
        operation="edit" if source else "create",
        prompt=words(context),
        model=model,
        input_asset_id=source.public_id if source else None,
        accept_unknown_cost=True,
    )
    for _ in range(2):
        try:
            agent = customer.agent()
            prepared = preparation.prepare(agent, request, is_dry_run=False)
            return submission.submit(agent, prepared, idempotency_key=None)
        except ledger.InsufficientCredits:
            if not customer.pays:
                return None
            purchases.buy(context, customer)
        except ApiError:  # caps, the day's jobs, a suspension: agents are refused as well
            return None
    return None


def _editable(customer: Customer) -> Asset | None:
    own = Asset.objects.filter(agent=customer.agent_id, state=Asset.State.AVAILABLE)
    return own.exclude(verdict__decodes=False).order_by("-id").first()
