"""The command `jacchain`, and `python -m jacchain`."""

import sys


def main() -> None:
    """Run a command; Ctrl-C ends it without a traceback even while it is being loaded."""
    try:
        from jacchain.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
