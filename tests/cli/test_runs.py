"""The commands on runs: what they print, what they leave, how they exit."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from shutil import copytree

import pytest

from jacchain import cli
from jacchain.cli import joined
from jacchain.experiments.sizes import PROFILES
from jacchain.measure.caches import Caches
from jacchain.measure.threads import usable_cores
from jacchain.records.read import read_records
from jacchain.runs import job, runner

COMMANDS = [command.name or command.callback.__name__ for command in cli.app.registered_commands]
DIMS = ("--dims", "1", "4", "3", "2")
FILES = {"report.html", "verdicts.json", "environment.json", "records.jsonl", "figures"}

# A run of a short profile on a disk that is full after 4 KiB.
FULL_DISK = """
import resource, sys
from jacchain import cli
from jacchain.experiments.sizes import PROFILES, Sampling

PROFILES.entries["chain"] = Sampling("chain", 1, 3, 15.0)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
cli.main(["run", "--dims", "1", "4", "3", "2", "--out", sys.argv[1]])
"""


@pytest.fixture(scope="module")
def chain_run(call, tmp_path_factory):
    """The folder of a run of one chain."""
    folder = tmp_path_factory.mktemp("chain") / "run"
    assert call("run", *DIMS, "--out", folder) == cli.DONE
    return folder


@pytest.fixture(scope="module")
def claim_run(call, tmp_path_factory):
    """The folder of a run of C9, which times nothing."""
    folder = tmp_path_factory.mktemp("claim") / "run"
    assert call("run", "--claims", "C9", "--out", folder, "--check") == cli.DONE
    return folder


@pytest.fixture
def disagreeing(claim_run, tmp_path):
    """A run in which f(x, y) = x y has another slope."""
    folder = tmp_path / "disagreeing"
    copytree(claim_run, folder)
    records = folder / "records.jsonl"
    altered = records.read_text().replace('"slopes":[-6.0', '"slopes":[-7.0')
    assert altered != records.read_text()
    records.write_text(altered)
    return folder


def parsed(text):
    """Read JSON as strictly as other programs do."""

    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run, command):
    code, out, _ = run(command, "--help")
    assert code == cli.DONE
    assert f"Example: jacchain {command} " in out


def test_alone_the_command_lists_the_others(run):
    _, out, err = run()
    assert all(command in out + err for command in COMMANDS)
    assert set(COMMANDS) >= {
        *("run", "plot", "report", "compare", "doctor", "dashboard", "compare-harnesses")
    }


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "jacchain", "run", "--dims", "1", "0", "4"]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == cli.BAD_INPUT
    assert "dims are 1 0 4; expected" in child.stderr
    assert "Traceback" not in child.stderr


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("run --dims 1 10 256", "run --dims 1,10,256"),
        ("run --claims C1 C9", "run --claims C1,C9"),
        ("run --claims C1 --json", "run --claims C1 --json"),
        ("run --claims C1,C3 C9 --out x", "run --claims C1,C3,C9 --out x"),
        ("run --dims 1 4 --claims C1 C2 --check", "run --dims 1,4 --claims C1,C2 --check"),
        ("run --dims 1 -4 2", "run --dims 1,-4,2"),
        ("run --dims", "run --dims"),
        ("run --dims=1,2 --json", "run --dims=1,2 --json"),
        ("compare a b --json", "compare a b --json"),
        ("", ""),
    ],
)
def test_list_options_take_several_values(typed, read):
    assert joined(typed.split()) == read.split()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run --profile slow", "profile 'slow'; the known ones are ['full', 'quick', 'standard']"),
        ("run --profile chain", "unknown profile 'chain'; the known ones are ['full', 'quick', "),
        ("run --claims C1 C77", "unknown claim 'C77'; the known ones are ['C1', "),
        ("run --dtype int8", "unknown dtype 'int8'; the known ones are ['float32', 'float64']"),
        ("run --dims 1 0 4", "dims are 1 0 4; expected at least three sizes of 1 or more"),
        ("run --dims 1 -3 4", "dims are 1 -3 4; expected at least three sizes of 1 or more"),
        ("run --dims 1 4", "dims are 1 4; expected at least three sizes"),
        ("run --dims 2 4 4", "dims are 2 4 4; expected at least three sizes of 1 or more, loss"),
        ("run --dims 1 4.5 4", "dims are 1,4.5,4; expected integers"),
        ("run --dims 1 four 4", "dims are 1,four,4; expected integers"),
        ("run --dims", "requires an argument"),
        ("run --threads 0", "0 threads; expected 1 to"),
        (f"run --threads {usable_cores() + 1}", f"expected 1 to {usable_cores()}"),
        ("run --threads many", "Invalid value for '--threads'"),
        ("run --fast", "--fast"),
        ("sprint", "sprint"),
        ("compare one", "Missing argument"),
    ],
)
def test_bad_input_ends_with_a_message_and_exit_code_2(run, arguments, message):
    code, out, err = run(*arguments.split())
    assert code == cli.BAD_INPUT
    assert message in " ".join(err.replace("│", " ").split())
    assert out == ""


@pytest.mark.parametrize("command", ["plot --results", "report --results", "compare"])
def test_a_folder_without_records_is_named_with_a_remedy(run, tmp_path, command):
    folders = [tmp_path] * (2 if command == "compare" else 1)
    code, _, err = run(*command.split(), *folders)
    assert code == cli.BAD_INPUT
    assert f"no records: there is no file {tmp_path}" in err
    assert "Name the folder of a run" in err


@pytest.mark.parametrize("command", ["plot --results", "report --results", "compare"])
def test_a_corrupt_line_is_named_with_a_remedy(run, claim_run, tmp_path, command):
    lines = (claim_run / "records.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "records.jsonl").write_bytes(b"".join([lines[0], b"no record\n", *lines[1:]]))
    folders = [tmp_path] * (2 if command == "compare" else 1)
    code, _, err = run(*command.split(), *folders)
    assert code == cli.BAD_INPUT
    assert f"{tmp_path / 'records.jsonl'}, line 2: not JSON" in err
    assert "Delete that line" in err


@pytest.mark.filterwarnings("always::jacchain.records.errors.RecordsWarning")
def test_a_torn_last_line_is_a_warning(run, claim_run, tmp_path):
    data = (claim_run / "records.jsonl").read_bytes()
    (tmp_path / "records.jsonl").write_bytes(data + b'{"kind":"che')
    code, _, err = run("report", "--results", tmp_path)
    assert code == cli.DONE
    assert "warning:" in err
    assert "the last line is torn" in err


def test_a_run_leaves_records_verdicts_figures_and_report(chain_run, claim_run):
    for folder in (chain_run, claim_run):
        assert {path.name for path in folder.iterdir()} >= FILES
    assert list((claim_run / "figures").iterdir())


def test_a_chain_is_answered_with_both_orders(run, chain_run):
    code, out, _ = run("report", "--results", chain_run)
    assert code == cli.DONE
    assert "times as fast as" in out
    assert "noise floor" in out
    assert str(chain_run / "report.html") in out


def test_a_complete_run_says_so_and_prints_its_verdicts(run, chain_run):
    before = (chain_run / "records.jsonl").read_bytes()
    code, out, err = run("run", *DIMS, "--out", chain_run, "--json")
    assert code == cli.DONE
    assert "is complete" in err
    assert [verdict["claim"] for verdict in parsed(out)] == ["chain-1x4x3x2"]
    assert (chain_run / "records.jsonl").read_bytes() == before


def test_another_chain_in_the_same_folder_is_refused(run, chain_run):
    code, _, err = run("run", "--dims", "1", "9", "9", "--out", chain_run)
    assert code == cli.BAD_INPUT
    assert "not of chain-1x9x9; use --fresh to start anew or --out" in err


def test_other_threads_or_dtype_in_the_same_folder_are_refused(run, chain_run):
    code, _, err = run("run", *DIMS, "--dtype", "float32", "--out", chain_run)
    assert code == cli.BAD_INPUT
    assert "dtype 'float64' instead of 'float32'" in err


def test_a_dry_run_lists_the_cells_and_leaves_nothing(run, tmp_path):
    out_folder = tmp_path / "out"
    code, out, _ = run("run", "--claims", "c3", "--dry-run", "--json", "--out", out_folder)
    cells = parsed(out)
    assert code == cli.DONE
    assert Counter(cell["cell"].split()[0] for cell in cells)["control"] >= 2
    assert all(cell["seconds"] > 0 and cell["bytes"] > 0 for cell in cells)
    assert not out_folder.exists()
    code, out, _ = run("run", *DIMS, "--dry-run")
    assert code == cli.DONE
    assert "chain 1x4x3x2" in out
    assert "3 cells" in out


def test_a_run_says_what_it_found_of_each_claim_that_is_finished(run, tmp_path, monkeypatch):
    monkeypatch.setitem(PROFILES.entries, "quick", replace(PROFILES["chain"], name="quick"))
    monkeypatch.setattr(job, "detect_caches", lambda: Caches(None, None))
    code, out, err = run("run", "--claims", "C1", "C3", "C9", "--out", tmp_path)
    assert code == cli.DONE
    said = [line.split(": ")[:2] for line in err.splitlines() if line.startswith("C")]
    assert [claim for claim, _ in said] == ["C9 agrees", "C1 agrees", "C3 inconclusive"]
    assert said[0][1].startswith("5 of 5 parts agree")
    assert all(claim + ":" in out for claim, _ in said)


def test_a_claim_that_disagrees_is_exit_code_1_only_with_check(run, claim_run, disagreeing):
    assert run("report", "--results", claim_run, "--check")[0] == cli.DONE
    assert run("report", "--results", disagreeing)[0] == cli.DONE
    code, out, _ = run("report", "--results", disagreeing, "--check", "--json")
    assert code == cli.DISAGREES
    assert [(v["claim"], v["verdict"]) for v in parsed(out)] == [("C9", "disagrees")]


def test_compare_tells_changed_verdicts(run, claim_run, disagreeing):
    assert run("compare", claim_run, claim_run, "--check")[0] == cli.DONE
    assert run("compare", claim_run, disagreeing)[0] == cli.DONE
    code, out, _ = run("compare", claim_run, disagreeing, "--check", "--json")
    assert code == cli.DISAGREES
    assert parsed(out)["changed_verdicts"] == {"C9": ["agrees", "disagrees"]}


def test_compare_matches_the_cells_of_two_runs(run, chain_run):
    code, out, _ = run("compare", chain_run, chain_run / "records.jsonl", "--json")
    comparison = parsed(out)
    assert code == cli.DONE
    assert sorted((tuple(c["dims"]), c["name"], c["ratio"]) for c in comparison["changes"]) == [
        ((1, 4, 3, 2), "input-first", 1.0),
        ((1, 4, 3, 2), "loss-first", 1.0),
    ]
    assert comparison["environments"] == {}
    code, out, _ = run("compare", chain_run, chain_run)
    assert code == cli.DONE
    assert "2 matched series, median B / A 1.000" in out


def test_figures_and_report_come_again_from_the_records_alone(run, claim_run, tmp_path):
    (tmp_path / "records.jsonl").write_bytes((claim_run / "records.jsonl").read_bytes())
    code, out, _ = run("plot", "--results", tmp_path)
    drawn = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert code == cli.DONE
    assert drawn == sorted(path.name for path in (claim_run / "figures").iterdir())
    assert f"{len(drawn)} files in {tmp_path / 'figures'}" in out
    assert run("report", "--results", tmp_path)[0] == cli.DONE
    assert parsed((tmp_path / "verdicts.json").read_text())[0]["claim"] == "C9"


def test_doctor_reports_on_this_machine(run):
    code, out, _ = run("doctor", "--json")
    findings = parsed(out)
    assert code == cli.DONE
    assert {finding["status"] for finding in findings} <= {"ok", "warn"}
    assert all(finding["remedy"] for finding in findings if finding["status"] == "warn")
    code, out, _ = run("doctor")
    assert code == cli.DONE
    assert findings[0]["topic"] in out


def test_an_interrupted_run_says_how_to_go_on(run, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", interrupt)
    code, _, err = run("run", *DIMS, "--out", tmp_path)
    assert code == cli.BAD_INPUT
    assert "interrupted; finished cells are kept, run again to resume" in err


def test_a_folder_below_a_file_is_refused(run, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = run("run", *DIMS, "--out", tmp_path / "file" / "run")
    assert code == cli.BAD_INPUT
    assert f"can't write to the folder {tmp_path / 'file' / 'run'}" in err
    assert "--out" in err


def test_a_full_disk_loses_no_finished_record_and_the_run_resumes(run, tmp_path):
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == cli.BAD_INPUT
    assert "can't write" in child.stderr
    assert "run again, and the run resumes" in child.stderr
    assert "Traceback" not in child.stderr
    kept = [record.key for record in read_records(tmp_path)]
    assert len(kept) > 1
    assert run("run", *DIMS, "--out", tmp_path)[0] == cli.DONE
    keys = Counter(record.key for record in read_records(tmp_path) if record.key)
    assert set(keys.values()) == {1}
    assert sum(key[0] == "block" for key in keys) == 3 * PROFILES["chain"].blocks
    assert {key for key in kept if key} <= keys.keys()


def test_a_run_that_shows_nothing_yet_is_plotted_all_the_same(run, chain_run, tmp_path):
    session = (chain_run / "records.jsonl").read_bytes().splitlines(keepends=True)[0]
    (tmp_path / "records.jsonl").write_bytes(session)
    code, out, _ = run("plot", "--results", tmp_path)
    assert code == cli.DONE
    assert f"files in {tmp_path}" in out
