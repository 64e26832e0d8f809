"""Make the secrets of an installation by compose, once; what is there stays.

Secrets belong to the image's user; PostgreSQL and the proxy read theirs as root. The certificate is
signed by nobody: browsers warn until a real one takes its place.
"""

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SECRETS = Path(os.environ.get("SECRETS_FOLDER", "/run/imageskill"))
CERTIFICATES = Path(os.environ.get("CERTIFICATES_FOLDER", "/run/certificates"))
OWNER = int(os.environ.get("SECRETS_OWNER", "10001"))


def main() -> None:
    """Write what is missing, readable by its user alone."""
    os.umask(0o077)
    SECRETS.chmod(0o711)
    password = _ensure("database_password", secrets.token_urlsafe(32))
    _ensure("secret_key", secrets.token_urlsafe(64))
    _ensure("database_url", f"postgresql://imageskill:{password}@database/imageskill")
    if not (CERTIFICATES / "fullchain.pem").exists():
        _write_certificate()


def _ensure(name: str, value: str) -> str:
    """Return the content of a file, made with this value where it is missing."""
    file = SECRETS / name
    if not file.exists():
        draft = file.with_suffix(".new")
        draft.write_text(value)
        os.chown(draft, OWNER, OWNER)
        draft.rename(file)
    return file.read_text()


def _write_certificate() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(pem, form, serialization.NoEncryption())
    (CERTIFICATES / "privkey.pem").write_bytes(private)
    (CERTIFICATES / "fullchain.pem").write_bytes(certificate.public_bytes(pem))


if __name__ == "__main__":
    main()
