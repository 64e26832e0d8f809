"""The three providers on one server, each under a path of its own."""

from imageskill.dev.standins.messages import StandInRequest, StandInResponse
from imageskill.dev.standins.providers.fal import FalStandIn, RunEnding
from imageskill.dev.standins.providers.openai import OpenAIStandIn
from imageskill.dev.standins.providers.xai import XAIStandIn
from imageskill.dev.standins.server import StandIn


class ProvidersStandIn(StandIn):
    """fal, OpenAI and xAI.

    From another process: POST `/_control/pace` with seconds by provider, such as `{"fal": 3}`,
    and POST `/_control/endings` with the fields of fal's `Ending`.
    """

    def __init__(self, *, body_limit: int | None = None) -> None:
        super().__init__("providers", body_limit=body_limit)
        self.fal = FalStandIn(self)
        self.openai = OpenAIStandIn(self)
        self.xai = XAIStandIn(self)
        self.route("POST", r"/_control/pace")(self._set_pace)
        self.route("POST", r"/_control/endings")(self._add_ending)

    def reset(self) -> None:
        """Forget everything that was asked and set."""
        super().reset()
        for provider in (self.fal, self.openai, self.xai):
            provider.reset()

    def _set_pace(self, request: StandInRequest) -> StandInResponse:
        for name, seconds in request.json.items():
            getattr(self, name).seconds = float(seconds)
        return StandInResponse({})

    def _add_ending(self, request: StandInRequest) -> StandInResponse:
        self.fal.endings.append(RunEnding(**request.json))
        return StandInResponse({}, 201)


def settings(base_url: str) -> dict[str, str]:
    """Return the settings that lead to the stand-ins."""
    return {
        "FAL_QUEUE_BASE_URL": f"{base_url}/fal",
        "OPENAI_BASE_URL": f"{base_url}/openai/v1",
        "XAI_BASE_URL": f"{base_url}/xai/v1",
    }
