"""The command's own HTTP goes the way that AWS's clients go: proxies, CA bundle, no redirects."""

import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import trustme

from keyturn.aws import clients
from keyturn.aws.faults import Unreachable
from keyturn.aws.operator.http import Http


@contextmanager
def server(*, tls=None):
    """A web server that answers everything, and what it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(b'{"answer": 1}')

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        if tls:
            http.socket = tls.wrap_socket(http.socket, server_side=True)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield SimpleNamespace(port=http.server_port, asked=asked)
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def clean(region, monkeypatch):
    """No proxy and no bundle but the test's."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    clients.session.cache_clear()
    yield
    clients.session.cache_clear()


def test_an_answer_is_json_and_redirects_are_not_followed():
    """A 302 is an answer like any other."""
    with server() as web:
        answer = Http().send("GET", f"http://127.0.0.1:{web.port}/moved", {})
        assert (answer.status, answer.body) == (302, {"answer": 1})
        assert web.asked == ["/moved"]


def test_a_proxy_is_used_unless_no_proxy_says_otherwise(monkeypatch):
    """HTTP_PROXY as curl and AWS's clients read it."""
    with server() as proxy, server() as web:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        url = f"http://127.0.0.1:{web.port}/jwks"
        Http().send("GET", url, {})
        assert (proxy.asked, web.asked) == ([url], [])
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        Http().send("GET", url, {})
        assert (proxy.asked, web.asked) == ([url], ["/jwks"])


def test_the_ca_bundle_is_trusted_and_nothing_else(monkeypatch, tmp_path):
    """AWS_CA_BUNDLE; without it a private certificate is refused before anything is sent."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with server(tls=context) as web:
        url = f"https://127.0.0.1:{web.port}/jwks"
        with pytest.raises(Unreachable, match="SSLError"):
            Http().send("GET", url, {})
        monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
        clients.session.cache_clear()
        assert Http().send("GET", url, {}).status == 200
        assert web.asked == ["/jwks"]


def test_a_proxy_that_is_away_is_named():
    """The error says that the proxy is not reached; it is not an exception of botocore's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("https_proxy", "http://127.0.0.1:1")
        with pytest.raises(Unreachable, match="ProxyConnectionError"):
            Http().send("GET", "https://127.0.0.1:2/jwks", {})
