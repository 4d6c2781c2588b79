"""The dashboard, built and served on loopback, in a real browser that may ask nothing else."""

import json
import shutil
import subprocess
import sys
from threading import Thread
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from jacchain.harnesses.server import server
from jacchain.harnesses.site import SITE

STEP = 3.0  # how much slower the later half of the varied history is
BENCHMARK = "evaluation.OverX.time_evaluate"
# Playwright's own wait_for_function calls eval, which the server's policy forbids to pages.
UNTIL = """window.until = condition => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`never: ${condition}`)), 30000);
    const look = () => condition() ? resolve() : requestAnimationFrame(look);
    look();
})"""
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


def _built(clone):
    command = [sys.executable, "-m", "jacchain", "dashboard", "--build-only"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr  # npm is there, so that the site needs no network
    return clone / SITE


def _scaled(row, columns, factor):
    """A row of asv's results, all its times so much longer."""
    return [
        [value and factor * value for value in column]
        if name in {"result", "stats_ci_99_a", "stats_ci_99_b", "stats_q_25", "stats_q_75"}
        else column
        for name, column in zip(columns, row, strict=False)
    ]


def _vary(results):
    """Let the later half of the history be slower, and add a second machine."""
    files = list(results.glob("desk/*-*.json"))
    dates = sorted({json.loads(p.read_text())["date"] for p in files})
    middle = dates[len(dates) // 2]
    shutil.copytree(results / "desk", results / "lab")
    for machine in ("desk", "lab"):
        for path in (results / machine).glob("*-*.json"):
            data = json.loads(path.read_text())
            data["params"]["machine"] = machine
            if data["date"] >= middle:
                row = data["results"][BENCHMARK]
                data["results"][BENCHMARK] = _scaled(row, data["result_columns"], STEP)
            path.write_text(json.dumps(data))
    about = results / "lab/machine.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"machine": "lab"}))


def _served(site):
    with server(site, port=0) as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}/"
        serving.shutdown()


@pytest.fixture(scope="session")
def clone(make_clone):
    return make_clone()


@pytest.fixture(scope="session")
def site(clone):
    """Address of the dashboard of the committed history."""
    yield from _served(_built(clone))


@pytest.fixture(scope="session")
def varied(make_clone):
    """Address of a dashboard of two machines whose later commits are slower."""
    clone = make_clone()
    _vary(clone / "results/asv")
    yield from _served(_built(clone))


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        launched = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def page(browser):
    """A page whose console stays without error, and which asks loopback alone."""
    problems = []

    def seen(request):
        address = urlsplit(request.url)
        if address.scheme in {"http", "https"} and address.hostname != "127.0.0.1":
            problems.append(f"asked {request.url}")

    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.add_init_script(UNTIL)
    opened = context.new_page()
    opened.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("request", seen)
    yield opened
    context.close()
    assert problems == []
