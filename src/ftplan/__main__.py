"""`python -m ftplan` is the `ftplan` command."""

from ftplan.cli.app import main

if __name__ == "__main__":
    main()
