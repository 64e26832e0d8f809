"""Lists of the console fit an ordinary screen, long words and all."""

from django.urls import reverse

from accounts.models import Agent, User
from imageskill.lib import clock
from tests.browser.console import ENTER, enter
from tests.cast import Signed
from tests.imageskill.console.conftest import signed_in
from tests.live import Live

__all__ = ["enter", "signed_in"]


class TestAgents:
    def test_the_last_column_is_whole_at_1280_pixels(
        self, live: Live, enter: ENTER, operator: User, agent: Signed
    ) -> None:
        Agent.objects.update(
            contact="an-agent-with-a-rather-long-address@studio.example.com",
            name="creative-agent-of-somebody",
            claim_state="payment_backed_unclaimed",
            last_seen_at=clock.now(),
            suspended_at=clock.now(),
            suspension_reason="looked into",
        )
        page = enter(operator, live)
        page.goto(live.url + reverse("admin:accounts_agent_changelist"))
        page.locator("html:not([x-cloak])").wait_for()
        ends = page.locator("#result_list").evaluate(
            "table => [Math.max(...[...table.querySelectorAll('th, td')]"
            ".map(cell => cell.getBoundingClientRect().right)),"
            " table.closest('form').getBoundingClientRect().right]"
        )
        assert ends[0] <= ends[1]
