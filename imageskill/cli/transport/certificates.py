"""Which certificates to trust: the system's, and those that the usual variables name."""

import ssl
from collections.abc import Mapping
from contextlib import suppress

# OpenSSL itself reads SSL_CERT_FILE. Sandboxes set the others for curl, Requests and Node.
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
HINT = (
    "Set SSL_CERT_FILE to a PEM file with the certificate authority of the server or of the proxy "
    "in between"
)


def trusted(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Return the context of connections; every certificate is checked against it."""
    context = ssl.create_default_context()
    for name in VARIABLES:
        # A file that can't be read adds nothing: servers that need it are refused with the hint.
        with suppress(OSError):
            if environment.get(name):
                context.load_verify_locations(cafile=environment[name])
    return context
