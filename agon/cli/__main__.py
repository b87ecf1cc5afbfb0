"""`python -m agon.cli`, as torchrun starts it."""

import sys

from agon.cli import main

if __name__ == "__main__":
    sys.exit(main())
