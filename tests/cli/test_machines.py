"""The command on simulated machines: what it prints, how it exits, what it refuses."""

import json

from jacchain import cli
from jacchain.runs.machine import committed
from tests.runs.machines import altered

FEW = ("--runs", "2", "--claims", "C3", "C5")


def write(folder, **changes):
    path = folder / "mine.json"
    path.write_text(json.dumps(altered(**changes)))
    return path


def test_alone_it_lists_the_machines_that_come_along(output):
    text = output("simulate")
    assert all(name in text for name in committed().entries)
    assert "files to copy: " in text
    listed = json.loads(output("simulate", "--json"))
    assert [machine["name"] for machine in listed] == list(committed().entries)
    assert {machine["half"] for machine in listed} == {"set", "held out"}


def test_machines_are_completed_by_their_names(complete):
    assert complete("simulate one-cell") == ["one-cell-0.75", "one-cell-0.85"]


def test_it_prints_how_often_each_verdict_is_given(output):
    text = output("simulate", "obeys-normal", *FEW)
    assert "It obeys the formulas, with normal noise of 1 %." in text
    assert "2 runs" in text
    line, *_ = (line for line in text.splitlines() if "C5 agrees" in line)
    assert line.split() == (
        [
            "C5",
            "agrees",
            "100.0",
            "%",
            "34.2",
            "%",
            "to",
            "100.0",
            "%",
            "80.0",
            "%",
            "to",
            "100.0",
            "%",
            "yes",
        ]
    )


def test_programs_read_the_same(output, tmp_path):
    rows = json.loads(output("simulate", write(tmp_path), *FEW, "--json"))
    always = {row["what"] for row in rows if row["share"] == 1}
    assert {"C3 agrees", "C5 agrees"} <= always
    assert any(what.startswith("C5 agrees: Loss-first is faster") for what in always)
    assert rows[0] == {
        "machine": "here",
        "runs": 2,
        "what": "C3 agrees",
        "low": 0.0,
        "high": 1.0,
        "met": True,
        "share": 1.0,
        "interval": [0.3424, 1.0],
    }


def test_a_seed_decides_what_is_drawn(output):
    arguments = ("simulate", "obeys-normal", "--runs", "3", "--claims", "C5", "--json")
    first, again, other = (output(*arguments, "--seed", seed) for seed in ("1", "1", "2"))
    assert first == again != other


def test_a_broken_bound_exits_with_one_if_checked(run, tmp_path):
    path = write(tmp_path, bounds=[{"verdict": "agrees", "high": 0.0}])
    assert run("simulate", path, *FEW)[0] == cli.DONE
    assert run("simulate", path, *FEW, "--check")[0] == cli.DISAGREES
    assert run("simulate", write(tmp_path), *FEW, "--check")[0] == cli.DONE


def test_bad_input_is_refused_with_a_remedy(refuse, tmp_path):
    refuse(["simulate", "mine"], "unknown machine 'mine'; the known ones are ['cache-cliffs',")
    refuse(["simulate", tmp_path / "none.json"], "none.json: No such file or directory")
    path = write(tmp_path, noise__family="cauchy")
    refuse(["simulate", path], "mine.json: noise.family is 'cauchy': Input should be 'normal'")
    path.write_text('{"name": "mi')
    refuse(["simulate", path], "mine.json: not JSON", "copy a machine that 'jacchain simulate'")
    refuse(["simulate", write(tmp_path), "--claims", "C9"], "here does not judge 'C9'")
    refuse(["simulate", write(tmp_path), "--runs", "0"], "0 runs; expected at least 1")
