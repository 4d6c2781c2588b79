"""The documentation builds without a warning, is whole, and loads nothing from the network."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import jacchain
from jacchain.claims.registry import experiments

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = experiments().entries
NAMES = sorted(
    {
        f"{package.__name__}.{name}"
        for package in (jacchain.jacobians, jacchain.networks, jacchain)
        for name in package.__all__
        if package is jacchain or name not in jacchain.__all__
    }
)


class Page(HTMLParser):
    """The text of a page, its identifiers, its links, and what it loads."""

    def __init__(self, path):
        super().__init__()
        self.path, self.text, self.ids = path, "", set()
        self.links, self.loaded = [], []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids.add(values.get("id"))
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag != "a":
            self.loaded += [values[key] for key in ("src", "href") if values.get(key)]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """All pages, by their paths."""
    out = tmp_path_factory.mktemp("docs") / "html"
    command = [sys.executable, "-m", "sphinx", "-qW", "--keep-going", "docs", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {path: Page(path) for path in sorted(out.rglob("*.html"))}


def named(pages, name):
    return next(page for path, page in pages.items() if path.as_posix().endswith(f"html/{name}"))


def test_every_claim_and_study_has_a_page_that_shows_its_statement(pages):
    listed = named(pages, "claims.html").links
    for claim, experiment in EXPERIMENTS.items():
        page = named(pages, f"claims/{claim.lower()}.html")
        assert experiment.statement in page.text
        assert any(link.endswith(f"claims/{claim.lower()}.html") for link in listed)


def test_every_public_name_has_an_entry(pages):
    ids = named(pages, "reference.html").ids
    missing = [name for name in NAMES if name not in ids and f"module-{name}" not in ids]
    assert not missing


def test_every_link_leads_somewhere(pages):
    for page in pages.values():
        for link in page.links:
            address = urlsplit(link)
            if address.scheme:
                continue
            target = (
                (page.path.parent / unquote(address.path)).resolve() if address.path else page.path
            )
            assert target.exists(), f"{page.path.name}: {link}"
            if address.fragment and target in pages:
                assert unquote(address.fragment) in pages[target].ids | {""}, link


def test_nothing_is_loaded_from_the_network(pages):
    for page in pages.values():
        assert page.loaded
        for address in page.loaded:
            assert not urlsplit(address).netloc, f"{page.path.name}: {address}"
