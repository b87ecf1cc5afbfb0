"""Checksums of content: of JSON values, and of tensors."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from torch import Tensor


def key_of(content: Mapping[str, Any] | Tensor) -> str:
    """The SHA-256 of a JSON object, or of the numbers of a tensor, as hexadecimal digits."""
    if isinstance(content, Tensor):
        checksum = hashlib.sha256(f"{tuple(content.shape)}".encode())
        checksum.update(content.contiguous().numpy().data)
        return checksum.hexdigest()
    return hashlib.sha256(json.dumps(dict(content), sort_keys=True).encode()).hexdigest()
