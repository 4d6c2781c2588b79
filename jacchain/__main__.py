"""`python -m jacchain`."""

from jacchain.cli import main

main()
