"""The libraries of asv's pages, by an npm of our own."""

import pytest

from jacchain.harnesses import vendor
from jacchain.harnesses.vendor import COPIES, FOLDER, VendorError, make_local

PAGE = """<head>
<script src="https://code.jquery.com/jquery-3.3.1.min.js" integrity="sha256-x"></script>
<script src="asv.js"></script>
<link rel="stylesheet" href="https://cdn.example.org/bootstrap.min.css" integrity="sha256-y">
</head><body><a href="https://example.org/">elsewhere</a></body>
"""
FILES = " ".join(f"node_modules/{name}" for name in (*COPIES.values(), "bootstrap/dist/fonts/a"))
PACKAGES = (  # a script that makes every file which npm would bring
    f'for f in {FILES}; do mkdir -p "$(dirname $f)"; echo made > $f; done; test -f package.json'
)


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text(PAGE)
    return folder


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A function that puts a shell script in npm's place."""

    def install(script):
        path = tmp_path / "npm"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(vendor.shutil, "which", lambda _: str(path))

    return install


def test_pages_load_their_libraries_from_beside_them(site, npm):
    npm(PACKAGES)
    make_local(site)
    page = (site / "index.html").read_text()
    assert f'<script src="{FOLDER}/jquery/dist/jquery.min.js"' in page
    assert f'<link rel="stylesheet" href="{FOLDER}/bootstrap/dist/css/bootstrap.min.css">' in page
    assert "integrity" not in page
    assert '<script src="asv.js"></script>' in page
    assert 'href="https://example.org/"' in page  # a link loads nothing
    assert (site / FOLDER / "jquery/dist/jquery.min.js").read_text() == "made\n"


def test_a_failing_npm_leaves_the_site_as_it_is(site, npm):
    npm("echo 'npm error network' >&2; exit 1")
    with pytest.raises(VendorError, match=r"npm failed: npm error network; mend"):
        make_local(site)
    assert (site / "index.html").read_text() == PAGE
    assert not (site / FOLDER).exists()


def test_without_npm_the_remedy_is_named(site, monkeypatch):
    monkeypatch.setattr(vendor.shutil, "which", lambda _: None)
    with pytest.raises(VendorError, match=r"npm is missing: install Node.js"):
        make_local(site)
    assert (site / "index.html").read_text() == PAGE


def test_a_library_that_is_not_known_is_named(site, npm):
    npm(PACKAGES)
    (site / "index.html").write_text('<script src="https://example.org/new.js"></script>')
    with pytest.raises(VendorError, match=r"index.html loads https://example.org/new.js"):
        make_local(site)
