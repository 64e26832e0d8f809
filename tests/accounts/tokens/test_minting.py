"""Tokens: shown once, kept as a hash, checked whenever present."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts import agents
from accounts.models import Token
from accounts.tokens import minting
from imageskill.lib import clock
from imageskill.lib.errors import RateLimited


@pytest.mark.django_db
class TestTokens:
    def test_a_minted_token_is_found_again(self, agent):
        assert minting.verify(agent.token).agent == agent.agent

    def test_the_text_is_kept_nowhere(self, agent):
        row = Token.objects.get(agent=agent.agent)
        secret = agent.token.removeprefix("isk_r_")[8:]
        assert secret not in str(row.__dict__)
        assert row.prefix == agent.token[:14] + "…"

    @pytest.mark.parametrize("text", ["", "isk_r_", "isk_r_x", "Bearer", "isk_r_\x00", "isk_r_é"])
    def test_other_texts_are_refused(self, db, text):
        with pytest.raises(minting.AuthRequired):
            minting.verify(text)

    def test_one_wrong_character_is_refused(self, agent):
        last = "a" if agent.token[-1] != "a" else "b"
        with pytest.raises(minting.AuthRequired):
            minting.verify(agent.token[:-1] + last)

    def test_a_rotated_token_is_dead_and_its_heir_works(self, agent):
        heir = minting.rotate(minting.verify(agent.token))
        with pytest.raises(minting.AuthRequired):
            minting.verify(agent.token)
        assert minting.verify(heir).agent == agent.agent

    def test_rotations_are_bounded_by_the_hour(self, agent, settings):
        settings.TOKENS_PER_HOUR_PER_AGENT = 3  # that of the signup counts
        with clock.at(clock.now()):
            for _ in range(2):
                agent.token = minting.rotate(minting.verify(agent.token))
        with pytest.raises(RateLimited) as refusal, transaction.atomic():
            minting.rotate(minting.verify(agent.token))
        assert 3590 <= refusal.value.recovery["retry_after_seconds"] <= 3600
        assert minting.verify(agent.token).agent == agent.agent

        with clock.at(clock.now() + timedelta(hours=1, seconds=1)):
            assert minting.rotate(minting.verify(agent.token))

    def test_a_revoked_agent_has_no_token(self, agent):
        agents.revoke(agent.agent, user=None, reason="test")
        with pytest.raises(minting.AuthRequired):
            minting.verify(agent.token)


@pytest.mark.django_db(transaction=True)
class TestRotation:
    def test_of_two_at_once_one_wins(self, agent):
        token = minting.verify(agent.token)
        outcomes = []

        def rotate():
            try:
                outcomes.append(minting.rotate(token))
            except minting.AuthRequired:
                outcomes.append(None)
            finally:
                connection.close()

        threads = [threading.Thread(target=rotate) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([text for text in outcomes if text]) == 1
        assert Token.objects.filter(agent=agent.agent, revoked_at__isnull=True).count() == 1


@pytest.mark.django_db
class TestAuthentication:
    @pytest.mark.parametrize("header", ["Bearer nonsense", "Basic eDp5", "Bearer", "isk_r_x"])
    def test_a_bad_header_is_401_even_where_none_is_needed(self, api, header):
        answer = api.get("/v1/models", Authorization=header)
        assert (answer.status, answer.code, answer.exit_code) == (401, "AUTH_REQUIRED", 3)
        assert "signup" in answer.error["recovery"]["suggested_command"]

    def test_last_use_is_written_at_most_every_few_minutes(
        self, api, agent, django_assert_num_queries
    ):
        api.get("/v1/whoami", token=agent.token)
        assert Token.objects.get(agent=agent.agent).last_used_at is not None
        with django_assert_num_queries(1):
            api.get("/v1/whoami", token=agent.token)
