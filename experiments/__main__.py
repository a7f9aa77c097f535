"""`python -m experiments`; the command lies in a module that worker processes can import."""

import sys

from experiments.command import main

if __name__ == "__main__":
    sys.exit(main())
