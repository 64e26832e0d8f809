"""URLs of sign-in, claims and agent settings."""

from allauth.account import views as sign_in
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from accounts.views import account, agents, claims, inbox

# allauth's pages one by one under its own names; its URLconf would add passwords and sign-up.
_SIGN_IN = [
    path("login/", sign_in.login, name="account_login"),
    # allauth redirects here when a code is invalid; our sign-in page is where codes are requested.
    path(
        "login/code/",
        RedirectView.as_view(pattern_name="account_login", query_string=True),
        name="account_request_login_code",
    ),
    path("login/code/confirm/", sign_in.confirm_login_code, name="account_confirm_login_code"),
    path("login/password/", account.PasswordSignIn.as_view(), name="password_login"),
    path("reauthenticate/", account.Reauthenticate.as_view(), name="account_reauthenticate"),
    path("logout/", sign_in.logout, name="account_logout"),
    path("inactive/", sign_in.account_inactive, name="account_inactive"),
    path("email/", sign_in.email, name="account_email"),
    path(
        "confirm-email/",
        sign_in.email_verification_sent,
        name="account_email_verification_sent",
    ),
]
_FACTORS = [
    path("", factors.index, name="mfa_index"),
    path("authenticate/", factors.authenticate, name="mfa_authenticate"),
    path("reauthenticate/", factors.reauthenticate, name="mfa_reauthenticate"),
    path("totp/activate/", totp.activate_totp, name="mfa_activate_totp"),
    path("totp/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "recovery-codes/generate/",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "recovery-codes/download/",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path("webauthn/", passkeys.list_webauthn, name="mfa_list_webauthn"),
    path("webauthn/add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("webauthn/login/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path(
        "webauthn/reauthenticate/",
        passkeys.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path("webauthn/keys/<int:pk>/edit/", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    path("webauthn/keys/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("account", account.my_account, name="my_account"),
    path("account/", include(_SIGN_IN)),
    path("account/2fa/", include(_FACTORS)),
    path("claim/<str:token>", claims.open_claim, name="claim_link"),
    path("claims/<str:claim_id>/decline", claims.decline_claim, name="claim_decline"),
    path("claims/<str:claim_id>/report", claims.report_claim, name="claim_report"),
    path("claims/<str:claim_id>/pass-on", claims.forward_claim, name="claim_pass_on"),
    path("claims/<str:claim_id>/person", claims.switch_account, name="claim_change_person"),
    path("stop/<str:signed>", inbox.unsubscribe, name="claim_stop"),
    path("agents/<str:agent_id>/settings", agents.agent_settings, name="agent_settings"),
    path("agents/<str:agent_id>/tokens", agents.rotate_tokens, name="tokens_replace"),
    path(
        "agents/<str:agent_id>/tokens/<str:lookup>/revoke", agents.revoke_token, name="token_revoke"
    ),
    path("agents/<str:agent_id>/pause", agents.pause_agent, name="agent_pause"),
    path("agents/<str:agent_id>/resume", agents.resume_agent, name="agent_resume"),
    path("agents/<str:agent_id>/end", agents.revoke_agent, name="agent_end"),
    path("agents/<str:agent_id>/hand-over", agents.transfer_agent, name="agent_hand_over"),
    path("agents/<str:agent_id>/offer/withdraw", agents.withdraw_transfer, name="offer_withdraw"),
]

if settings.HAS_OUTBOX_PAGE:
    urlpatterns += [
        path("outbox", inbox.list_outbox, name="outbox"),
        path("outbox/<str:key>", inbox.show_mail, name="outbox_mail"),
    ]
