"""`python -m agon.cli`, as torchrun starts it."""

import sys

from agon.cli import main

sys.exit(main())
