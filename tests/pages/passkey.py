"""A passkey that needs no browser: signs what a device would, its owner verified by PIN."""

import hashlib
import json
import secrets
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)

from accounts.models import User

_HOST = "testserver"
_FLAG = AuthenticatorData.FLAG


class Passkey:
    """One key pair, for the host of Django's test client."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id = secrets.token_bytes(16)

    def create(self, challenge: str) -> str:
        """Answer the page that adds passkeys; claims to be usable without an account's name."""
        public = ES256.from_cryptography_key(self._key.public_key())
        data = AttestedCredentialData.create(bytes(16), self._id, public)
        made = RegistrationResponse(
            raw_id=self._id,
            response=AuthenticatorAttestationResponse(
                client_data=_client_data("webauthn.create", challenge),
                attestation_object=AttestationObject.create(
                    "none", _authenticator_data(_FLAG.AT, data), {}
                ),
            ),
        )
        return _json(made, clientExtensionResults={"credProps": {"rk": True}})

    def sign(self, challenge: str, *, user: User) -> str:
        """Answer a page that asks for a passkey."""
        client_data, data = _client_data("webauthn.get", challenge), _authenticator_data()
        signature = self._key.sign(data + client_data.hash, ec.ECDSA(hashes.SHA256()))
        signed = AuthenticationResponse(
            raw_id=self._id,
            response=AuthenticatorAssertionResponse(
                client_data=client_data,
                authenticator_data=data,
                signature=signature,
                user_handle=user_pk_to_url_str(user).encode(),
            ),
        )
        return _json(signed)


def _client_data(kind: str, challenge: str) -> CollectedClientData:
    return CollectedClientData.create(kind, challenge, f"https://{_HOST}")


def _authenticator_data(flags: int = 0, credential: bytes = b"") -> AuthenticatorData:
    host = hashlib.sha256(_HOST.encode()).digest()
    return AuthenticatorData.create(host, _FLAG.UP | _FLAG.UV | flags, 0, credential)


def _json(answer: Any, **more: Any) -> str:
    return json.dumps(dict(answer) | more, default=dict)
