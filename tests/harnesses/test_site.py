"""What stands in the way of a dashboard is named, with its remedy."""

import subprocess
from http.server import ThreadingHTTPServer

import pytest

from jacchain.harnesses.site import SiteError, build, is_loopback, server
from jacchain.records.errors import RecordsError


@pytest.fixture
def checkout(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "asv.conf.json").write_text("{}")
    return tmp_path


def test_a_folder_that_is_no_checkout_is_refused(tmp_path):
    with pytest.raises(SiteError, match=r"no asv.conf.json.*in a clone"):
        build(tmp_path)
    (tmp_path / "asv.conf.json").write_text("{}")
    with pytest.raises(SiteError, match=r"no git repository.*clone it"):
        build(tmp_path)


def test_without_results_the_command_that_makes_some_is_named(checkout):
    with pytest.raises(RecordsError, match=r"no results of asv.*make bench-quick"):
        build(checkout)


def test_a_shallow_clone_is_refused_with_the_remedy(checkout, tmp_path_factory):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["add", "."], [*identity, "commit", "-qm", "a"]):
        subprocess.run(["git", *arguments], cwd=checkout, check=True)
    shallow = tmp_path_factory.mktemp("clones") / "shallow"
    source = f"file://{checkout}"
    subprocess.run(["git", "clone", "-q", "--depth", "1", source, str(shallow)], check=True)
    with pytest.raises(SiteError, match=r"shallow.*git fetch --unshallow"):
        build(shallow)


def test_a_port_in_use_is_named_with_the_remedy(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), None) as taken:
        port = taken.server_address[1]
        with pytest.raises(SiteError, match=rf"127.0.0.1:{port}.*--port"):
            server(tmp_path, port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "::"])
def test_other_addresses_are_not_loopback(host):
    assert not is_loopback(host)
    assert is_loopback("::1")
