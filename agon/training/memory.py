"""Out of memory, as an error message."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from agon.errors import SettingError
from agon.untrusted import shortened


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn out-of-memory errors into a SettingError with advice."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _refusal(error) from error
    except RuntimeError as error:
        if "allocate memory" not in str(error):
            raise
        raise _refusal(error) from error


def _refusal(error: BaseException) -> SettingError:
    reason = shortened(str(error).partition("\n")[0]) or "out of memory"
    return SettingError(
        f"expected a training that fits into memory, got one that does not ({reason}); "
        "choose a smaller batch, grid or network, or fewer points"
    )
