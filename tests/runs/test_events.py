"""TensorBoard's files without its writer: it reads them, and finds what torch's writer would have left."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from torch.utils.tensorboard import SummaryWriter

from agon.runs.events import Events, _checksum


def png() -> bytes:
    stream = BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(stream, "png")
    return stream.getvalue()


def written(folder: Path) -> list[object]:
    """The events of a folder's only file, without the moments."""
    (file,) = folder.glob("events.out.tfevents.*")
    events = list(EventFileLoader(str(file)).Load())
    for event in events:
        event.wall_time = 0.0
        event.ClearField("source_metadata")
    return events


def test_they_are_those_of_torch_s_writer(tmp_path: Path) -> None:
    ours, theirs = Events(tmp_path / "ours", 7), SummaryWriter(str(tmp_path / "theirs"), purge_step=8)
    ours.add({"step": 9, "loss/critic": 0.25, "wall/seconds": 1e-3})
    ours.note("alarm", "a collapse – at step 9", 9)
    for name, value in (("loss/critic", 0.25), ("wall/seconds", 1e-3)):
        theirs.add_scalar(name, value, 9)
    theirs.add_text("alarm", "a collapse – at step 9", 9)
    ours.close()
    theirs.close()
    assert written(tmp_path / "ours") == written(tmp_path / "theirs")


def test_a_picture_is_the_file_itself(tmp_path: Path) -> None:
    events = Events(tmp_path / "events", 0)
    events.show("samples", png(), 3)
    events.close()
    (image,) = EventAccumulator(str(tmp_path / "events")).Reload().Images("samples")
    assert (image.step, image.width, image.height, image.encoded_image_string) == (3, 4, 4, png())


def test_what_was_written_can_be_read_before_the_file_is_closed(tmp_path: Path) -> None:
    events = Events(tmp_path / "events", 0)
    events.add({"step": 1, "loss": 2.0})
    assert EventAccumulator(str(tmp_path / "events")).Reload().Scalars("loss")[0].value == 2.0
    events.close()


def test_the_checksum_is_crc_32c() -> None:
    """RFC 3720's own example, masked as TensorFlow does."""
    crc = 0xE3069283
    masked = (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    assert _checksum(b"123456789") == masked.to_bytes(4, "little")
