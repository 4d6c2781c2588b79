"""The server of the dashboard, asked over real connections on loopback."""

import os
import socket
from contextlib import ExitStack
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from io import BufferedReader
from threading import Thread

import pytest

from jacchain.harnesses import server as module
from jacchain.harnesses.server import is_loopback, server
from jacchain.harnesses.site import SiteError


@pytest.fixture
def site(tmp_path):
    site = tmp_path / "site"
    (site / "graphs/inner").mkdir(parents=True)
    (site / "index.html").write_text("the page")
    (site / "graphs/a b.json").write_text("[1]")
    (tmp_path / "secret").write_text("secret")
    (site / "inside").symlink_to(site / "index.html")
    (site / "outside").symlink_to(tmp_path / "secret")
    (site / "graphs/inner/index.html").symlink_to(tmp_path / "secret")
    (site / "up").symlink_to(tmp_path)
    os.mkfifo(site / "pipe")
    return site


@pytest.fixture
def start():
    """Return a function that serves a folder, and stops at the end."""
    with ExitStack() as stack:

        def serve(site, **options):
            serving = stack.enter_context(server(site, port=0, **options))
            thread = Thread(target=serving.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(serving.shutdown)
            return serving.server_address[:2]

        yield serve


def ask(address, path="/", *, method="GET", **headers):
    connection = HTTPConnection(*address, timeout=30)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/index.html", "/?a=b", "/inside", "/x/../index.html"])
def test_pages_are_served(start, site, path):
    status, text, headers = ask(start(site), path)
    assert (status, text) == (200, "the page")
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_dashboard_opens_on_complexity_and_asv_is_one_click_away(start, site):
    (site / "complexity.html").write_text("complexity")
    address = start(site)
    assert [ask(address, path)[1] for path in ("/", "/?a=b")] == ["complexity"] * 2
    assert ask(address, "/index.html")[1] == "the page"


def test_names_are_decoded(start, site):
    assert ask(start(site), "/graphs/a%20b.json")[:2] == (200, "[1]")


@pytest.mark.parametrize(
    "path",
    [
        *("/../secret", "/%2e%2e/secret", "/..%2fsecret", "/%2e%2e%2fsecret", "/..%5csecret"),
        *("/graphs/../../secret", "//secret", "/outside", "/up/secret", "/graphs/inner/"),
        *("/graphs/", "/graphs", "/pipe", "/%00", "/%ff%fe", "/" + "a" * 5000),
    ],
)
def test_nothing_else_is_served_and_no_folder_listed(start, site, path):
    status, text, headers = ask(start(site), path)
    assert (status, text) == (404, "There is no such page.\n")
    assert headers.get_content_type() == "text/plain"


@pytest.mark.parametrize("name", ["127.0.0.1:{}", "localhost:{}", "LOCALHOST:{}", "[::1]:{}"])
def test_the_names_of_loopback_are_answered(start, site, name):
    address = start(site)
    assert ask(address, Host=name.format(address[1]))[0] == 200


@pytest.mark.parametrize(
    "name",
    ["example.org", "example.org:{}", "127.0.0.1", "localhost:1", "127.0.0.1.example:{}", ""],
)
def test_another_host_is_refused(start, site, name):
    """As a page of another site would ask, whose name was made to point here."""
    address = start(site)
    status, text, _ = ask(address, Host=name.format(address[1]))
    assert (status, text) == (421, "Name this server by its address.\n")
    assert ask(address, method="HEAD", Host=name.format(address[1]))[:2] == (421, "")


def test_two_hosts_or_none_are_refused(start, site):
    address = start(site)
    own = f"Host: 127.0.0.1:{address[1]}\r\n"
    assert raw(address, f"GET / HTTP/1.1\r\n{own}\r\n").startswith("HTTP/1.0 200")
    for head in ("", own + own):
        assert raw(address, f"GET / HTTP/1.1\r\n{head}\r\n").startswith("HTTP/1.0 421")


def raw(address, request):
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(request.encode())
        with connection.makefile(newline="") as answer:
            return answer.read()


def test_scripts_come_from_the_site_once_it_is_local(start, site):
    assert "script-src 'self' https: 'unsafe-inline'" in policy(start(site))
    (site / "libraries").mkdir()
    assert "script-src 'self' 'unsafe-inline'" in policy(start(site))


def policy(address):
    return ask(address)[2]["Content-Security-Policy"]


def test_two_hundred_at_once_are_all_answered(start, site, monkeypatch):
    monkeypatch.setattr(module, "THREADS", 3)
    address = start(site)
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\n\r\n".encode()
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(address, timeout=30)) for _ in range(200)
        ]
        for client in reversed(clients):
            client.sendall(request)
        for client in clients:
            with client.makefile() as answer:
                assert answer.read().endswith("the page")


def test_a_client_that_never_ends_its_request_is_let_go(start, site, monkeypatch):
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.01)
    with socket.create_connection(start(site), timeout=30) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        assert client.recv(1) == b""


def test_a_byte_now_and_then_does_not_prolong_a_request(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    ours, theirs = socket.socketpair()
    with ours, theirs:
        request = BufferedReader(module._Timed(ours))
        for now[0] in (1.0, 9.9):
            theirs.sendall(b"x")
            assert request.read(1) == b"x"
        theirs.sendall(b"x")
        now[0] = 10.1
        with pytest.raises(TimeoutError, match="too long"):
            request.read(1)


def test_a_client_that_is_gone_is_no_error(start, site, capfd):
    (site / "large").write_bytes(bytes(2**24))
    address = start(site)
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(f"GET /large HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\n\r\n".encode())
        client.recv(1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    assert ask(address)[0] == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("host", ["127.1", "localhost"])
def test_other_spellings_of_loopback_are_served(start, site, host):
    assert is_loopback(host)
    assert ask(start(site, host=host))[0] == 200


@pytest.mark.parametrize(
    ("address", "name"),
    [("::1", "[::1]"), ("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%lo", "[fe80::1]")],
)
def test_a_server_is_called_by_the_address_that_was_reached(site, address, name):
    with server(site, port=0) as serving:
        assert f"{name}:{serving.server_address[1]}" in serving.names(address)


def test_other_addresses_are_not_loopback(monkeypatch):
    assert is_loopback("::1")
    assert not any(map(is_loopback, ("192.0.2.1", "::", "0.0.0.0", "a" * 100)))
    both = [(0, 0, 0, "", ("127.0.0.1", 0)), (0, 0, 0, "", ("192.0.2.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: both)
    assert not is_loopback("both.example")


def test_a_port_in_use_is_named_with_the_remedy(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), None) as taken:
        port = taken.server_address[1]
        with pytest.raises(SiteError, match=rf"127.0.0.1:{port}.*--port"):
            server(tmp_path, port=port)


def test_a_host_that_is_none_is_named_with_the_remedy(tmp_path):
    with pytest.raises(SiteError, match=r"can't serve on a{100}:.*--host"):
        server(tmp_path, host="a" * 100)
