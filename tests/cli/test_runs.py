"""The commands on runs: what they print, what they leave, how they exit."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from io import StringIO
from operator import itemgetter
from pathlib import Path
from shutil import copytree
from unittest.mock import Mock

import pytest
from rich.console import Console

import jacchain
from jacchain import cli
from jacchain.claims.registry import experiments
from jacchain.cli import joined, runs, shared
from jacchain.experiments.sizes import FIXED_PROFILES, PROFILES
from jacchain.limits import usable_cores
from jacchain.measuring.caches import Caches
from jacchain.runs import job, runner
from tests.records.examples import SESSION

COMMANDS = [command.name or command.callback.__name__ for command in cli.app.registered_commands]
DIMS = ("--dims", "1", "4", "3", "2")
PROFILES_KNOWN = "the known ones are ['full', 'quick', 'standard']"
FILES = {"report.html", "verdicts.json", "environment.json", "records.jsonl", "figures"}
READERS = ("plot --results {0}", "report --results {0}", "compare {0} {0}")


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
    folder = copytree(claim_run, tmp_path / "disagreeing")
    records = folder / "records.jsonl"
    altered = records.read_text().replace('"slopes":[-6.0', '"slopes":[-7.0')
    assert altered != records.read_text()
    records.write_text(altered)
    return folder


def parsed(text):
    """Read JSON as strictly as other programs do."""
    return json.loads(text, parse_constant=pytest.fail)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(output, command):
    assert f"Example: jacchain {command} " in output(command, "--help")


def test_alone_the_command_lists_the_others(run):
    _, out, err = run()
    assert all(command in out + err for command in COMMANDS)
    expected = "run plot report compare doctor dashboard compare-harnesses"
    assert set(COMMANDS) >= set(expected.split())


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "jacchain", "run", "--dims", "1", "0", "4"]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == cli.BAD_INPUT
    assert "dims are 1 0 4; expected" in child.stderr
    assert "Traceback" not in child.stderr


def test_what_records_hold_commands_no_terminal(run, claim_run, tmp_path):
    folder = copytree(claim_run, tmp_path / "hostile")
    records = folder / "records.jsonl"
    text = records.read_text()
    records.write_text(text.replace('"blas":"', '"blas":"\\u001b[2J\\u009b31m', 1))
    for arguments in (("compare", folder, claim_run), ("report", "--results", folder)):
        _, out, err = run(*arguments)
        assert "\x1b[2J" not in out + err
        assert "\x9b" not in out + err
    assert r"\x1b[2J" in out + err


INTERRUPTED_IMPORT = """
import sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == "typer":
            raise KeyboardInterrupt
from jacchain.__main__ import main
sys.meta_path.insert(0, Interrupt())
main()
"""


def test_interrupted_while_it_loads_it_ends_without_a_traceback():
    command = [sys.executable, "-c", INTERRUPTED_IMPORT]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout, child.stderr) == (cli.INTERRUPTED, "", "")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("run --claims C1 --json", "run --claims C1 --json"),
        ("run --claims C1,C3 C9 --out x", "run --claims C1,C3,C9 --out x"),
        ("run --dims 1 4 --claims C1 C2 --check", "run --dims 1,4 --claims C1,C2 --check"),
        ("run --dims 1 -4 2", "run --dims 1,-4,2"),
        ("run --dims", "run --dims"),
        ("run --dims=1,2 --json", "run --dims 1,2 --json"),
        ("compare a b --json", "compare a b --json"),
        ("", ""),
    ],
)
def test_list_options_take_several_values(typed, read):
    assert joined(typed.split()) == read.split()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run --profile slow", f"unknown profile 'slow'; {PROFILES_KNOWN}"),
        ("run --profile chain", f"unknown profile 'chain'; {PROFILES_KNOWN}"),
        ("run --profile harnesses", f"unknown profile 'harnesses'; {PROFILES_KNOWN}"),
        ("run --claims C1 C77", "unknown claim 'C77'; the known ones are ['C1', "),
        ("run --dtype int8", "unknown dtype 'int8'; the known ones are ['float32', 'float64']"),
        ("run --dims 1 0 4", "dims are 1 0 4; expected at least three sizes of 1 to 2147483647"),
        ("run --dims 4 2 1", "loss first they are 1 2 4"),
        ("run --dims 1 4.5 4", "dims are '1,4.5,4'; expected integers"),
        ("run --dims 1 four 4", "dims are '1,four,4'; expected integers"),
        ("run --dims", "requires an argument"),
        ("run --dims 1 4 3 --profile bad", "unknown profile 'bad'"),
        (f"run --dims 1 4 {10**39}", "expected at least three sizes of 1 to 2147483647"),
        ("run --threads 0", "0 threads; expected 1 to"),
        ("run --threads -1", "-1 threads; expected 1 to"),
        (f"run --threads {usable_cores() + 1}", f"expected 1 to {usable_cores()}"),
        ("run --threads many", "Invalid value for '--threads'"),
        ("run --self-test --claims C3", "--self-test and --claims C3 exclude each other"),
        ("run --self-test --peers", "--self-test and --peers exclude each other"),
        ("run --fast", "--fast"),
        ("sprint", "sprint"),
        ("compare one", "Missing argument"),
    ],
)
def test_bad_input_ends_with_a_message_and_exit_code_2(refuse, arguments, message):
    refuse(arguments.split(), message)


@pytest.mark.parametrize("option", ["--out", "--dims", "--claims"])
def test_an_empty_option_is_refused(refuse, option):
    refuse(["run", option, ""], "is empty")


@pytest.mark.parametrize("command", READERS)
def test_a_folder_without_records_is_named_with_a_remedy(refuse, tmp_path, command):
    message = f"no records: there is no file {tmp_path}"
    refuse(command.format(tmp_path).split(), message, "Name the folder of a run")


@pytest.mark.parametrize("command", READERS)
def test_a_corrupt_line_is_named_with_a_remedy(refuse, tmp_path, command):
    file = tmp_path / "records.jsonl"
    file.write_text("\nno record\n")
    refuse(command.format(tmp_path).split(), f"{file}, line 2: not JSON", "Delete that line")


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


def test_a_chain_is_answered_with_both_orders(output, chain_run):
    out = output("report", "--results", chain_run)
    for text in ("times as fast as", "noise floor", str(chain_run / "report.html")):
        assert text in out


def test_a_complete_run_says_so_and_prints_its_verdicts(run, chain_run):
    before = (chain_run / "records.jsonl").read_bytes()
    code, out, err = run("run", *DIMS, "--out", chain_run, "--json")
    assert code == cli.DONE
    assert "is complete" in err
    assert [verdict["claim"] for verdict in parsed(out)] == ["chain-1x4x3x2"]
    assert (chain_run / "records.jsonl").read_bytes() == before


def test_another_chain_in_the_same_folder_is_refused(refuse, chain_run):
    message = "a run of chain-1x4x3x2, not of chain-1x9x9; use --fresh to start anew or --out"
    refuse(["run", "--dims", "1", "9", "9", "--out", chain_run], message)


def test_a_dry_run_lists_the_cells_and_leaves_nothing(output, tmp_path):
    folder = tmp_path / "out"
    cells = parsed(output("run", "--claims", "c3", "--dry-run", "--json", "--out", folder))
    assert Counter(cell["cell"].split()[0] for cell in cells)["control"] >= 2
    assert all(cell["seconds"] > 0 and cell["bytes"] > 0 for cell in cells)
    assert not folder.exists()
    out = output("run", *DIMS, "--dry-run")
    assert "chain 1x4x3x2" in out
    assert "3 of 3 cells" in out


def test_claims_whose_library_is_missing_are_left_out_with_a_warning(run, refuse, monkeypatch):
    monkeypatch.setattr(job, "find_spec", lambda name: None if name == "sklearn" else name)
    monkeypatch.setattr(runs, "_measure", measured := Mock(return_value=True))
    monkeypatch.setattr(runs, "_finish", Mock())
    code, _, err = run("run")
    assert code == cli.DONE
    assert "C9 was not measured: it needs sklearn" in err
    assert "pip install 'jacchain[data]'" in err
    assert "C9" not in measured.call_args.args[1].claims
    refuse(["run", "--claims", "C9"], "claim C9 needs sklearn: pip install 'jacchain[data]'")


def test_a_self_test_is_two_hundred_pairs_in_a_folder_of_its_own(output, monkeypatch):
    monkeypatch.setattr(runs, "_measure", measured := Mock(return_value=True))
    monkeypatch.setattr(runs, "_finish", Mock())
    output("run", "--self-test")
    ((folder, asked), _) = measured.call_args
    assert folder == Path("results/self-test")
    assert [experiment.claim for experiment in asked.experiments] == ["self-test"]
    assert len(asked.cells) == 200


def test_a_run_says_what_it_found_of_each_claim_that_is_finished(run, tmp_path, monkeypatch):
    monkeypatch.setitem(PROFILES.entries, "quick", replace(FIXED_PROFILES["chain"], name="quick"))
    monkeypatch.setattr(job, "detect_caches", lambda: Caches(None, None))
    code, out, err = run("run", "--claims", "C1", "C3", "C9", "--out", tmp_path)
    assert code == cli.DONE
    said = [line.split(": ")[:2] for line in err.splitlines() if line.startswith("C")]
    assert [claim for claim, _ in said] == ["C9 agrees", "C1 agrees", "C3 inconclusive"]
    assert said[0][1] == "5 of 5 statements agree"
    assert all(claim.split()[0] in out for claim, _ in said)


def test_a_claim_that_disagrees_is_exit_code_1_only_with_check(run, claim_run, disagreeing):
    assert run("report", "--results", claim_run, "--check")[0] == cli.DONE
    assert run("report", "--results", disagreeing)[0] == cli.DONE
    code, out, _ = run("report", "--results", disagreeing, "--check", "--json")
    assert code == cli.DISAGREES
    assert [(v["claim"], v["verdict"]) for v in parsed(out)] == [("C9", "disagrees")]


def test_compare_tells_changed_verdicts(run, claim_run, disagreeing, tmp_path):
    same = copytree(claim_run, tmp_path / "same")
    assert run("compare", claim_run, same, "--check")[0] == cli.DONE
    assert run("compare", claim_run, disagreeing)[0] == cli.DONE
    code, out, _ = run("compare", claim_run, disagreeing, "--check", "--json")
    assert code == cli.DISAGREES
    assert parsed(out)["changed_verdicts"] == {"C9": ["agrees", "disagrees"]}


def test_compare_matches_the_cells_of_two_runs(output, chain_run, tmp_path):
    other = copytree(chain_run, tmp_path / "other")
    comparison = parsed(output("compare", chain_run, other, "--json"))
    changes = map(itemgetter("dims", "name", "ratio"), comparison["changes"])
    dims = [1, 4, 3, 2]
    assert sorted(changes) == [(dims, "input-first", 1.0), (dims, "loss-first", 1.0)]
    assert comparison["environments"] == {}
    assert [comparison[run]["folder"] for run in "ab"] == [str(chain_run), str(other)]
    out = output("compare", chain_run, other, "--all")
    assert out.startswith("B took 1.00 times as long as A in the middle of 2 matched series; none")
    assert f"\nB: {other} (" in out


def test_compare_leaves_a_page_and_changes_no_run(output, refuse, chain_run, tmp_path):
    other = copytree(chain_run, tmp_path / "other")
    before = {path: path.stat().st_mtime_ns for path in (other, *other.rglob("*"))}
    page = tmp_path / "page" / "compare.html"
    assert f"page: {page}" in output("compare", chain_run, other, "--out", page.parent)
    assert "B took 1.00 times as long as A" in page.read_text("utf-8")
    parsed(output("compare", chain_run, other, "--out", page.parent, "--json"))
    refuse(["compare", chain_run, other, "--out", other], "belongs to run B", "another folder")
    assert {path: path.stat().st_mtime_ns for path in (other, *other.rglob("*"))} == before


@pytest.mark.parametrize("name", ["", "records.jsonl"])
def test_compare_refuses_a_run_beside_itself(refuse, chain_run, name):
    refuse(["compare", chain_run, chain_run / name], "A and B are the same run", "Name two runs")


def test_compare_says_why_two_runs_have_nothing_in_common(refuse, chain_run, claim_run):
    refuse(["compare", chain_run, claim_run], "nothing to compare: B timed no chain in both orders")


def test_figures_and_report_come_again_from_the_records_alone(output, claim_run, tmp_path):
    (tmp_path / "records.jsonl").write_bytes((claim_run / "records.jsonl").read_bytes())
    out = output("plot", "--results", tmp_path)
    drawn = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert drawn == sorted(path.name for path in (claim_run / "figures").iterdir())
    assert f"{len(drawn)} files in {tmp_path / 'figures'}" in out
    output("report", "--results", tmp_path)
    assert parsed((tmp_path / "verdicts.json").read_text())[0]["claim"] == "C9"


def test_doctor_reports_on_this_machine(output):
    findings = parsed(output("doctor", "--json"))
    assert {finding["status"] for finding in findings} <= {"ok", "warn"}
    assert all(finding["remedy"] for finding in findings if finding["status"] == "warn")
    assert findings[0]["topic"] in output("doctor")


def test_an_interrupted_run_says_how_to_go_on(run, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "run", Mock(side_effect=KeyboardInterrupt))
    code, out, err = run("run", *DIMS, "--out", tmp_path)
    assert (code, out) == (cli.INTERRUPTED, "") == (130, "")
    assert "interrupted; finished cells are kept, run again to resume" in err


def test_an_interrupt_anywhere_is_130(run, monkeypatch):
    monkeypatch.setattr("jacchain.measuring.doctor.diagnose", Mock(side_effect=KeyboardInterrupt))
    assert run("doctor")[0] == 130


def test_a_fault_of_our_own_is_no_disagreement(call, capsys, monkeypatch):
    monkeypatch.setattr("jacchain.measuring.doctor.diagnose", Mock(side_effect=AssertionError("x")))
    assert call("doctor") == cli.FAULT == 70
    assert "a fault of jacchain" in capsys.readouterr().err


def test_the_version_is_printed(output):
    assert output("--version").split() == ["jacchain", jacchain.__version__]


def test_options_of_several_names_list_and_complete_them(output, complete, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = output("run", "--help")
    assert f"{', '.join(PROFILES.entries)}." in text
    assert f"some of {', '.join(experiments().entries)}." in text
    assert "float32, float64." in text
    assert complete("run --claims C1") == ["C1", "C10"]


@pytest.mark.parametrize(
    ("arguments", "width"), [("doctor", "0"), ("--help", "0"), ("--help", "²"), ("--help", "99999")]
)
def test_a_terminal_without_a_sound_width_is_printed_to(arguments, width):
    command = [sys.executable, "-m", "jacchain", arguments]
    environment = os.environ | {"COLUMNS": width, "LINES": width}
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert len(child.stdout.splitlines()) > 5
    assert max(map(len, child.stdout.splitlines())) <= 80


@pytest.mark.parametrize("command", ["plot", "report"])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_drawing_shows_a_bar_on_a_terminal_alone(
    output, claim_run, tmp_path, monkeypatch, command, is_terminal
):
    errors = Console(file=StringIO(), force_terminal=is_terminal, width=100)
    monkeypatch.setattr(shared, "errors", errors)
    printed = output(command, "--results", claim_run, "--out", tmp_path)
    assert "100%" not in printed
    shown = errors.file.getvalue()
    assert ("drawing" in shown and "100%" in shown) if is_terminal else shown == ""


def test_nobody_reading_is_no_disagreement():
    command = f"{sys.executable} -m jacchain simulate; echo $? >&2"
    shell = ["bash", "-c", f"({command}) | true; sleep 0"]
    err = subprocess.run(shell, capture_output=True, text=True, check=True).stderr
    assert err.split() == ["141"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_is_given_what_it_can_show(chain_run, encoding):
    command = [sys.executable, "-m", "jacchain", "report", "--results", str(chain_run)]
    environment = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "200"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "times as fast as" in done.stdout.decode(encoding)


@pytest.mark.parametrize(
    "typed",
    [
        ["1,4,3,2"],
        ["1x4x3x2"],
        ["1 4 3 2"],
        ["=1", "4", "3", "2"],
        ["1, 4,", "3", "2"],
        ["1X4X3X2"],
    ],
)
def test_dims_are_taken_however_they_are_parted(output, typed):
    assert "chain 1x4x3x2" in output("run", "--dims", *typed, "--dry-run")
    assert "chain 1x4x3x2" in output("run", f"--dims={typed[0]}", *typed[1:], "--dry-run")


def test_a_run_that_shows_nothing_yet_is_plotted_all_the_same(output, write):
    folder = write(SESSION).parent
    assert f"files in {folder}" in output("plot", "--results", folder)
