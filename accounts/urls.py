"""Addresses of sign-in, claims and what a sponsor decides about an agent."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from accounts.views import account, agents, claims, inbox

urlpatterns: list[URLPattern | URLResolver] = [
    path("account", account.my_account, name="my_account"),
    path(
        "account/login/password/",
        account.PasswordSignIn.as_view(),
        name="password_login",
    ),
    path(
        "account/reauthenticate/", account.Reauthenticate.as_view(), name="account_reauthenticate"
    ),
    path("account/", include("allauth.urls")),
    path("claim/<str:token>", claims.open_claim, name="claim_link"),
    path("claims/<str:claim_id>/decline", claims.decline_claim, name="claim_decline"),
    path("claims/<str:claim_id>/report", claims.report_claim, name="claim_report"),
    path("claims/<str:claim_id>/pass-on", claims.pass_on_claim, name="claim_pass_on"),
    path("claims/<str:claim_id>/person", claims.change_person, name="claim_change_person"),
    path("stop/<str:signed>", inbox.stop_mails, name="claim_stop"),
    path("agents/<str:agent_id>/settings", agents.agent_settings, name="agent_settings"),
    path("agents/<str:agent_id>/tokens", agents.replace_tokens, name="tokens_replace"),
    path(
        "agents/<str:agent_id>/tokens/<str:lookup>/revoke", agents.revoke_token, name="token_revoke"
    ),
    path("agents/<str:agent_id>/pause", agents.pause_agent, name="agent_pause"),
    path("agents/<str:agent_id>/resume", agents.resume_agent, name="agent_resume"),
    path("agents/<str:agent_id>/end", agents.end_agent, name="agent_end"),
    path("agents/<str:agent_id>/hand-over", agents.hand_over_agent, name="agent_hand_over"),
    path("agents/<str:agent_id>/offer/withdraw", agents.withdraw_offer, name="offer_withdraw"),
]

if settings.HAS_OUTBOX_PAGE:
    urlpatterns += [
        path("outbox", inbox.list_outbox, name="outbox"),
        path("outbox/<str:key>", inbox.show_mail, name="outbox_mail"),
    ]
