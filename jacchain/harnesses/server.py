"""A server of one folder of pages, for this machine: `http.server`, closed to abuse.

It answers those alone who name it by its own address, so that no page of another site reaches it by
a name that points here; it serves files of its folder and nothing else; and no client, however
slow or many of them, keeps others waiting for long.
"""

import socket
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader, RawIOBase
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from threading import BoundedSemaphore
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

from jacchain.harnesses.site import HOME, SiteError
from jacchain.harnesses.vendor import FOLDER

REQUEST_SECONDS: Final = 10.0  # from the connection to the end of a request's head
THREADS: Final = 64  # more clients at once wait in the queue
QUEUE: Final = 1024
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
POLICY: Final = (  # asv's pages have scripts and styles inside
    "default-src {sources}; script-src {sources} 'unsafe-inline'; "
    "style-src {sources} 'unsafe-inline'; img-src {sources} data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def server(site: Path, *, host: str = "127.0.0.1", port: int = 8080) -> ThreadingHTTPServer:
    """Make a server of the site, not yet serving; port 0 takes a free one.

    Raises SiteError if the port is taken, or the address is none of this machine.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _Server(family, address, site.resolve(), host)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"can't serve on {host}:{port}: {reason}; choose another --host or --port"
        raise SiteError(message) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server there.

    Examples
    --------
    >>> is_loopback("localhost"), is_loopback("127.1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return all(ip_address(address).is_loopback for address in addresses)


class _Server(ThreadingHTTPServer):
    """Serves a folder by a bounded number of threads."""

    request_queue_size = QUEUE

    def __init__(self, family: socket.AddressFamily, address: Any, site: Path, host: str) -> None:
        self.address_family, self.host = family, host.lower()
        sources = "'self'" if (site / FOLDER).is_dir() else "'self' https:"
        self.policy = POLICY.format(sources=sources)
        self._free = BoundedSemaphore(THREADS)
        super().__init__(address[:2], partial(_Handler, directory=str(site)))

    def names(self, address: str) -> set[str]:
        """Return what a client may call this server that is connected to one of its addresses."""
        own = ip_address(address.partition("%")[0])
        mapped = own.ipv4_mapped if isinstance(own, IPv6Address) else None
        hosts = {self.host, *LOOPBACK, str(mapped or own)}
        names = {f"[{host}]" if ":" in host else host for host in hosts}
        port = self.server_address[1]
        return {f"{name}:{port}" for name in names} | (names if port == 80 else set())

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve in a thread, once there are fewer than the bound."""
        self._free.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve, in a thread of its own."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that are gone: browsers end what they no longer need."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Timed(RawIOBase):
    """Reads from a connection until a time: a byte now and then does not prolong it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._end = connection, monotonic() + REQUEST_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._end - monotonic()
        if left <= 0:
            message = "the request took too long"
            raise TimeoutError(message)
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(REQUEST_SECONDS)  # of a write


class _Handler(SimpleHTTPRequestHandler):
    """Serves regular files of one folder, and says nothing of it."""

    server: _Server

    def setup(self) -> None:
        super().setup()
        self.rfile = BufferedReader(_Timed(self.connection))

    def send_head(self) -> Any:
        """Answer with a file's head and return the file, or refuse and return None."""
        address = self.connection.getsockname()[0]
        hosts = [host.lower() for host in self.headers.get_all("Host", [])]
        if len(hosts) != 1 or hosts[0] not in self.server.names(address):
            return self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "Name this server by its address.")
        if urlsplit(self.path).path == "/" and (Path(self.directory) / HOME).is_file():
            self.path = f"/{HOME}"
        if not self._is_served(Path(self.translate_path(self.path))):
            return self._refuse(HTTPStatus.NOT_FOUND, "There is no such page.")
        return super().send_head()

    def _is_served(self, path: Path) -> bool:
        """Whether this is a regular file of the site, or a folder with a page, links followed."""
        try:
            file = path / "index.html" if path.is_dir() else path
            return file.is_file() and file.resolve().is_relative_to(self.directory)
        except (OSError, ValueError):  # names that no file has
            return False

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def end_headers(self) -> None:
        """End the head with what browsers shall heed."""
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass
