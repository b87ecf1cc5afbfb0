"""Storage that machines reach without a shared disk: objects below an address, each written whole or not at all.

It knows nothing of runs; `agon.runs.mirrors` decides what is written, and in which order. The filesystems are those of
pyarrow, which is imported at the first use.
"""

from agon.storage.addresses import Address, is_address
from agon.storage.objects import Objects, StorageError, Store, open_store

__all__ = ["Address", "Objects", "StorageError", "Store", "is_address", "open_store"]
