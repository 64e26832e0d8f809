import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from imageskill.cli.transport import certificates, proxies

HOST = "api.example.test"
ENVELOPE = b'{"ok": true, "data": {"models": []}, "warnings": [], "error": null}'


ENVIRONMENT = {"HTTPS_PROXY": "http://user:p%40ss@proxy.test:3128", "http_proxy": "plain.test"}


class TestBefore:
    def test_goes_by_the_scheme(self):
        proxy = proxies.proxy_for("https://api.test", ENVIRONMENT)
        assert (proxy.host, proxy.port) == ("proxy.test", 3128)
        assert proxies.proxy_for("http://api.test", ENVIRONMENT).host == "plain.test"
        assert proxies.proxy_for("https://api.test", {}) is None

    def test_says_who_asks(self):
        proxy = proxies.proxy_for("https://api.test", ENVIRONMENT)
        assert proxy.headers == {"Proxy-Authorization": "Basic dXNlcjpwQHNz"}

    @pytest.mark.parametrize("url", ["https://localhost", "https://127.0.0.1:1", "https://[::1]"])
    def test_this_machine_needs_none(self, url):
        assert proxies.proxy_for(url, ENVIRONMENT) is None

    @pytest.mark.parametrize(
        ("no_proxy", "is_used"),
        [
            ("*", False),
            ("api.test", False),
            (".test,x", False),
            ("*.test", False),
            ("i.test", True),
        ],
    )
    def test_exceptions_are_kept(self, no_proxy, is_used):
        found = proxies.proxy_for("https://api.test", {**ENVIRONMENT, "NO_PROXY": no_proxy})
        assert bool(found) is is_used


class Site(BaseHTTPRequestHandler):
    """Answers every request with an envelope."""

    def do_GET(self):
        self.server.paths.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(ENVELOPE)))
        self.end_headers()
        self.wfile.write(ENVELOPE)

    def do_CONNECT(self):
        """As a proxy: whatever host is named, the tunnel ends at `server.target`."""
        self.server.paths.append(self.path)
        with socket.create_connection(self.server.target) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_copy, args=(there, self.connection), daemon=True)
            back.start()
            _copy(self.connection, there)

    def log_message(self, *_):
        pass


def _copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(**attributes) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    server.paths = []
    vars(server).update(attributes)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "site.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def site(certificate: Path) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.paths = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()


class TestThroughAProxy:
    def test_https_goes_through_a_tunnel_and_is_still_checked(self, client, site, certificate):
        proxy = serve(target=site.server_address)
        address = f"http://127.0.0.1:{proxy.server_address[1]}"
        surroundings = {
            "IMAGE_SKILL_API_BASE_URL": f"https://{HOST}",
            "HTTPS_PROXY": address,
            "SSL_CERT_FILE": str(certificate),
        }
        assert client("models", "list", **surroundings).exit_code == 0
        assert proxy.paths == [f"{HOST}:443"]
        assert site.paths == ["/v1/models?catalog_only=false"]
        run = client("models", "list", **(surroundings | {"SSL_CERT_FILE": "/dev/null"}))
        assert run.error["code"] == "HOSTED_API_REQUEST_FAILED"
        assert "SSL_CERT_FILE" in run.error["message"]
        assert not run.error["retryable"]
        assert "retry_after_seconds" not in run.error["recovery"]
        for name in certificates.VARIABLES:
            other = surroundings | {"SSL_CERT_FILE": "/dev/null", name: str(certificate)}
            assert client("models", "list", **other).exit_code == 0, name
        proxy.shutdown()

    def test_a_spend_that_was_never_sent_leaves_no_record(self, client, site, certificate):
        proxy = serve(target=site.server_address)
        surroundings = {
            "IMAGE_SKILL_API_BASE_URL": f"https://{HOST}",
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy.server_address[1]}",
        }
        run = client("create", "--prompt", "p", **surroundings)
        assert "SSL_CERT_FILE" in run.error["recovery"]["suggested_command"]
        assert client("doctor").data["in_flight"]["count"] == 0
        proxy.shutdown()

    def test_plain_http_names_the_whole_address(self, client):
        proxy = serve()
        run = client(
            "models",
            "list",
            IMAGE_SKILL_API_BASE_URL=f"http://{HOST}",
            HTTP_PROXY=f"127.0.0.1:{proxy.server_address[1]}",
        )
        assert run.exit_code == 0
        assert proxy.paths == [f"http://{HOST}/v1/models?catalog_only=false"]
        proxy.shutdown()
