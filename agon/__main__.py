"""Run the command line: the command `agon`, and `python -m agon`."""

import sys


def main() -> int:
    """Run one command and return its exit status; Ctrl-C is no error, also while the commands are imported."""
    try:
        from agon.cli import main as run_command
    except KeyboardInterrupt:
        return 130
    return run_command()


if __name__ == "__main__":
    sys.exit(main())
