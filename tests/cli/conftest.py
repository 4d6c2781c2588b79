"""Commands run in this process, on short runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jacchain import cli
from jacchain.experiments.sizes import FIXED_PROFILES, Sampling
from jacchain.runs import runner


@pytest.fixture(scope="session")
def call():
    """Return a function that runs a command and returns its exit code."""

    def run_command(*arguments):
        with pytest.raises(SystemExit) as end:
            cli.main([str(argument) for argument in arguments])
        return end.value.code or cli.DONE

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FIXED_PROFILES, "chain", Sampling("chain", 1, 3, 15.0))
        patch.setattr(runner.secrets, "randbits", lambda _: 7)
        patch.setenv("COLUMNS", "200")  # of what typer prints
        patch.setattr(cli.console, "width", 200)
        patch.setenv("NO_COLOR", "1")
        yield run_command


@pytest.fixture
def run(call, capsys):
    """Return a function that runs a command and returns exit code, output and error output."""

    def run_command(*arguments):
        code = call(*arguments)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run_command


@pytest.fixture
def output(run):
    """Return a function that runs a command, which must succeed, and returns its output."""

    def run_well(*arguments):
        code, out, err = run(*arguments)
        assert code == cli.DONE, err
        return out

    return run_well


@pytest.fixture
def refuse(run):
    """Return a function that runs a command, which must end as bad input with these messages."""

    def run_badly(arguments, *messages):
        code, out, err = run(*arguments)
        assert code == cli.BAD_INPUT
        for message in messages:
            assert message in " ".join(err.replace("│", " ").split())
        assert out == ""

    return run_badly


@pytest.fixture
def complete():
    """Return a function that returns what a shell is offered for the last of the words typed."""

    def offered(typed):
        words = f"jacchain {typed}"
        asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
        child = subprocess.run(
            [Path(sys.executable).with_name("jacchain")],
            env=os.environ | asked | {"_JACCHAIN_COMPLETE": "complete_bash"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert child.stderr == ""
        return child.stdout.split()

    return offered
