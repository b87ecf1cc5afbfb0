"""TensorBoard's event files, written without its own writer, whose import takes a third as long as torch's.

A file is a sequence of records: the length of the content (8 bytes), its checksum (4), the content, and its checksum,
little-endian. The content is a protocol buffer of the class `Event`.
"""

import os
import secrets
import socket
import struct
import time
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from agon.runs.directory import Directory
from agon.runs.files import refuse_undecodable, writing

CASTAGNOLI = 0x82F63B78  # the reversed polynomial of the checksum
MASK, WORD = 0xA282EAD8, 0xFFFFFFFF


class Events:
    """TensorBoard's event files of one run; events after the step from which it continues are purged.

    It always writes a new file, so that it cannot follow a link.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import SessionLog

        refuse_undecodable(folder)
        place = Directory(folder.parent).make(folder.name)
        name = (
            f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(8)}"
        )
        with writing(folder):
            self._file = (Path(place) / name).open("xb")
            for first in (0, step + 1):
                self._write(first, file_version="brain.Event:2")
            self._write(step + 1, session_log=SessionLog(status=SessionLog.START))

    def add(self, record: Mapping[str, float]) -> None:
        """Add a scalar for each number of the record except the step."""
        for name, value in record.items():
            if name != "step":
                self._summary(int(record["step"]), tag=name, simple_value=float(value))

    def show(self, name: str, png: bytes, step: int) -> None:
        """Add a picture."""
        from PIL import Image
        from tensorboard.compat.proto.summary_pb2 import Summary

        with Image.open(BytesIO(png)) as picture:
            width, height, channels = *picture.size, len(picture.getbands())
        image = Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=png)
        self._summary(step, tag=name, image=image)

    def note(self, name: str, text: str, step: int) -> None:
        """Add a line of text."""
        from tensorboard.compat.proto.summary_pb2 import SummaryMetadata
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

        plugin = SummaryMetadata.PluginData(plugin_name="text")
        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
        tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode("utf-8", "replace")], tensor_shape=shape)
        metadata = SummaryMetadata(plugin_data=plugin)
        self._summary(step, tag=f"{name}/text_summary", metadata=metadata, tensor=tensor)

    def close(self) -> None:
        """Write pending events."""
        self._file.close()

    def _summary(self, step: int, **value: Any) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._write(step, summary=Summary(value=[Summary.Value(**value)]))

    def _write(self, step: int, **content: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        event = Event(wall_time=time.time(), step=step, **content).SerializeToString()
        length = struct.pack("<Q", len(event))
        self._file.write(length + _checksum(length) + event + _checksum(event))
        self._file.flush()


def _checksum(content: bytes) -> bytes:
    """The masked CRC-32C of a record's part."""
    table, crc = _table(), WORD
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= WORD
    return struct.pack("<I", ((crc >> 15 | crc << 17) + MASK) & WORD)


@cache
def _table() -> tuple[int, ...]:
    """What each byte does to a CRC-32C."""
    rows = []
    for row in range(256):
        for _ in range(8):
            row = row >> 1 ^ (CASTAGNOLI if row & 1 else 0)
        rows.append(row)
    return tuple(rows)
