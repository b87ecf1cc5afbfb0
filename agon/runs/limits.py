"""Limits on what is read of a run, since its files may come from another machine."""

import os

from agon.errors import SettingError

DESCRIPTION = 4 * 2**20  # bytes of experiment.json, arithmetic.json, replicates.json
VALUES = 50_000  # in one of them: ours have hundreds
TEXT = 4_096  # characters of one text in them, as long as a path may be
STATE = 64 * 2**20  # bytes of a checkpoint's state.json
RECORDS = 2**30  # bytes of log.jsonl and of metrics.jsonl
SAMPLES = 2**30  # bytes of one file of samples, or of a score's arrays, unpacked
ENTRIES = 1_000_000  # files of one folder
VARIABLE = "AGON_CHECKPOINT_GIB"


def tensors() -> int:
    """Return the largest size of a checkpoint's tensors in bytes: this machine's memory, or $AGON_CHECKPOINT_GIB.

    Raises:
        SettingError: the variable is not a number over 0.
    """
    setting = os.environ.get(VARIABLE)
    if setting is None:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return _gibibytes(float(setting))
    except ValueError as error:
        raise SettingError(f"{VARIABLE}: expected a number over 0, got {setting!r}") from error


def _gibibytes(number: float) -> int:
    if not 0 < number < 2**30:
        raise ValueError(number)
    return int(number * 2**30)
