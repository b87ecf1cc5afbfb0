"""Run the command line with `python -m agon.cli`, as torchrun does."""

import sys

from agon.cli import main

if __name__ == "__main__":
    sys.exit(main())
