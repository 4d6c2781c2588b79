"""Commands run in this process, on short runs."""

import pytest

from jacchain import cli
from jacchain.experiments.sizes import PROFILES, Sampling
from jacchain.runs import runner

SHORT = Sampling("chain", 1, 3, 15.0)


@pytest.fixture(scope="session")
def call():
    """Return a function that runs a command and returns its exit code."""

    def run_command(*arguments):
        with pytest.raises(SystemExit) as end:
            cli.main([str(argument) for argument in arguments])
        return end.value.code or cli.DONE

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PROFILES.entries, "chain", SHORT)
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
