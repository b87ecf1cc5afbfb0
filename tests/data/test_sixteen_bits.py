"""Grey files of 16 and 32 bits: what is black, what is white, and what is transparent, stated or by the file itself."""

import io
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import agon
from agon.cli import main
from agon.data import Images, Source, Stream, of
from agon.data.decode import decode, pixels_of
from agon.data.decoding import Decoding
from agon.data.description import describe
from agon.data.inspection import inspect
from agon.diagnosis import value_range
from agon.errors import DataError

TWELVE = np.arange(24, dtype=np.uint16).reshape(2, 3, 4) * 178  # n h w, from 0 to 4094
LEVELS = np.rint(TWELVE * (255 / 4095)).astype(np.uint8)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(bits: int, colours: int, row: list[int], clear: list[int]) -> bytes:
    """A PNG file of one row of pixels, of `bits` a number, with a transparent colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    coded = "".join(format(number, f"0{bits}b") for number in row)
    coded += "0" * (-len(coded) % 8)
    head = struct.pack(">IIBBBBB", len(row) // colours, 1, bits, {1: 0, 3: 2}[colours], 0, 0, 0)
    body = zlib.compress(b"\0" + int(coded, 2).to_bytes(len(coded) // 8, "big"))
    parts = (b"IHDR", head), (b"tRNS", struct.pack(f">{len(clear)}H", *clear)), (b"IDAT", body), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def tiff(bits: int, row: list[int], zero: int) -> bytes:
    """A TIFF file of one row of grey pixels of 8, 12 or 16 bits, of which 0 is white or black."""
    body = b"".join(struct.pack("<H", number) for number in row)
    if bits < 16:
        body = int("".join(format(number, f"0{bits}b") for number in row), 2).to_bytes(len(row) * bits // 8, "big")
    first = 8 + 2 + 12 * 8 + 4  # where the pixels begin: behind the header and eight tags
    tags = {256: len(row), 257: 1, 258: bits, 259: 1, 262: zero, 273: first, 277: 1, 279: len(body)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0) + body


def grey(content: bytes, **settings: Any) -> list[int]:
    """The first channel of the first row, in which all ways to read it agree."""
    row: list[int] = decode(content, size=None, channels=None, **settings)[0, 0].tolist()
    assert pixels_of(Image.open(io.BytesIO(content)), settings.get("values"))[0, :, 0].tolist() == row
    return row


def folder(path: Path, arrays: Any, kind: str = "png") -> str:
    path.mkdir()
    for i, array in enumerate(arrays):
        Image.fromarray(array).save(path / f"{i}.{kind}")
    return str(path)


@pytest.mark.parametrize(("bits", "step"), [(8, 1), (16, 257)])
def test_tiff_whose_zero_is_white_is_turned(bits: int, step: int) -> None:
    row = [0, 10 * step, 255 * step]
    assert grey(tiff(bits, row, zero=0)) == [255, 245, 0]
    assert grey(tiff(bits, row, zero=1)) == [0, 10, 255]


def test_twelve_bits_have_the_white_of_twelve_bits() -> None:
    """TIFF can pack them; numbers of 12 bits in words of 16 have no white but that of 16."""
    row = [0, 1000, 2048, 4095]
    assert grey(tiff(12, row, zero=1)) == [round(255 * number / 4095) for number in row]


@pytest.mark.parametrize(
    ("bits", "row", "clear", "seen"),
    [
        (1, [0, 1, 0], 0, [255, 255, 255]),
        (2, [0, 1, 2, 3], 1, [0, 255, 170, 255]),
        (4, [0, 1, 8, 15], 1, [0, 255, 136, 255]),
        (8, [0, 7, 8], 7, [0, 255, 8]),
        (16, [0, 1799, 1800, 2056], 1799, [0, 255, 7, 8]),
    ],
)
def test_the_transparent_grey_of_a_png_is_white(bits: int, row: list[int], clear: int, seen: list[int]) -> None:
    assert grey(png(bits, 1, row, [clear])) == seen


@pytest.mark.parametrize(("bits", "clear"), [(8, [1, 2, 3]), (16, [0x0102, 0x0203, 0x0304])])
def test_the_transparent_colour_of_a_png_is_white(bits: int, clear: list[int]) -> None:
    assert grey(png(bits, 3, [0, 0, 0, *clear], clear)) == [0, 255]


def test_values_of_sixteen_bits() -> None:
    image = Image.fromarray(TWELVE[0])
    for kind in ("PNG", "TIFF"):
        assert grey(saved(image, kind), values=(0, 4095)) == LEVELS[0, 0].tolist()
    turned = saved(image, "TIFF", tiffinfo={262: 0})
    assert grey(turned, values=(0, 4095)) == (255 - LEVELS[0, 0]).tolist()
    assert grey(png(16, 1, [0, 7, 4095], [7]), values=(0, 4095)) == [0, 255, 255]
    assert grey(png(16, 1, [0, 9000, 4095], [9000]), values=(0, 4095)) == [0, 255, 255]  # it is not shown
    floats = saved(Image.fromarray((TWELVE[0] / 4095).astype(np.float32)), "TIFF")
    assert grey(floats, values=(0, 1)) == LEVELS[0, 0].tolist()
    with pytest.raises(ValueError, match="its numbers go from 0 to 1958, expected 0 to 1000"):
        grey(saved(image, "PNG"), values=(0, 1000))
    with pytest.raises(ValueError, match=r"whose range nobody states; .*--set data.values=\[LOW,HIGH\]"):
        grey(floats)


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_a_folder_of_twelve_bits_takes_values(tmp_path: Path, kind: str) -> None:
    path = folder(tmp_path / "set", TWELVE, kind)
    plain, stated = (Images(path=path, values=values, holdout=0.0) for values in (None, (0, 4095)))
    assert np.array_equal(stated.stored()[:, 0].numpy(), LEVELS)
    assert plain.stored().max() == 16
    assert plain.open(seed=0).fingerprint != stated.open(seed=0).fingerprint
    assert np.array_equal(stated.stored()[:, 0].numpy(), LEVELS), "the cache keeps them apart"
    streamed = Stream(Images(path=path, values=(0, 4095), streaming=True, holdout=0.0), batch=2, seed=0).draw().real
    assert torch.equal(streamed.max(), stated.take(2).real.max())
    assert inspect(stated, everything=True).broken == []


def test_values_of_bytes_are_refused(tmp_path: Path) -> None:
    """They would change nothing, in silence."""
    for name, arrays in {"grey": LEVELS, "colours": LEVELS[..., None].repeat(3, 3)}.items():
        source = Images(path=folder(tmp_path / name, arrays), values=(0, 4095), skip_corrupt=True)
        with pytest.raises(
            DataError, match=r"16 or 32 bits where values=\(0.0, 4095.0\), got others in .*0.png: .*leave"
        ):
            source.open(seed=0)
        true = Images(path=source.path, values=(0, 255), holdout=0.0)
        assert torch.equal(true.stored()[:, 0], torch.from_numpy(LEVELS))
    Image.fromarray(TWELVE[0]).save(tmp_path / "grey" / "-1.png")
    with pytest.raises(DataError, match=r"got others in .*0.png"):
        Images(path=str(tmp_path / "grey"), values=(0, 4095), skip_corrupt=True).open(seed=0)
    with pytest.raises(DataError, match="no `values` for digits"):
        Images(path="digits", values=(0, 16)).open(seed=0)


def test_keys_from_before_values_stay() -> None:
    """The text is part of the fingerprints of runs."""
    how: dict[str, Any] = {"shape": (1, 2, 3), "size": None, "channels": 1, "skip_corrupt": False}
    assert repr(Decoding(**how)) == "Decoding(shape=(1, 2, 3), size=None, channels=1, skip_corrupt=False)"
    assert repr(Decoding(**how, values=(0.0, 1.0))) != repr(Decoding(**how))


def test_dark_words_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "dark", TWELVE)
    main(["data", path])
    said = capsys.readouterr().out
    assert "values   16-bit words up to 4,094 of 65,535 in 2 images looked at, which fill little of the range" in said
    assert "--set data.values='[0, 4095]' says what black and white are" in said
    assert "16-bit" not in describe(Images(path=path, values=(0, 4095)))
    assert "16-bit" not in describe(Images(path=folder(tmp_path / "bright", TWELVE * 16)))
    assert "16-bit" not in describe(Images(path=folder(tmp_path / "bytes", LEVELS)))


def test_pictures_in_memory_take_values() -> None:
    for arrays in (TWELVE, TWELVE.astype(np.int32), TWELVE.astype(np.float32)):
        source = of([Image.fromarray(array) for array in arrays], values=(0, 4095), holdout=0.0)
        assert np.array_equal(source.stored()[:, 0].numpy(), LEVELS)  # type: ignore[attr-defined]
    with pytest.raises(DataError, match="pictures that can be read in the list, but its pixels are 32-bit integers"):
        of([Image.fromarray(array) for array in TWELVE.astype(np.int32)])
    masks = of([Image.fromarray(array) for array in LEVELS // 17], values=(0, 15), holdout=0.0)
    assert np.array_equal(masks.stored()[:, 0].numpy(), LEVELS // 17 * 17)  # type: ignore[attr-defined]


def remedies(source: Source) -> list[str]:
    """What a diagnosis proposes for the values of this source."""
    view: Any = SimpleNamespace(trained_on=source.open(seed=0), data=source, average="none", samples={})
    view.trained_on.first = lambda n: source.take(min(n, source.count() or 1))
    found = value_range.examine(view).findings
    return [remedy.option for finding in found for remedy in finding.remedies]


def test_a_remedy_is_named_where_it_works(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", LEVELS // 20)
    paths = {"array": str(tmp_path / "x.npy"), "words": folder(tmp_path / "words", TWELVE)}
    turned = tmp_path / "turned"
    turned.mkdir()
    for i, array in enumerate(TWELVE):
        Image.fromarray(array).save(turned / f"{i}.tif", tiffinfo={262: 0})
    for path in (*paths.values(), str(turned)):
        source = Images(path=path, holdout=0.0)
        (option,) = remedies(source)
        low, high = map(float, option.partition("[")[2].partition("]")[0].split(","))
        mended = Images(path=path, values=(low, high), holdout=0.0)
        assert remedies(mended) == []
        assert mended.take(2).real.max() > 0.9
    dark = Images(path=folder(tmp_path / "bytes", LEVELS // 20), holdout=0.0)
    assert remedies(dark) == remedies(of(LEVELS // 20, holdout=0.0)) == [""]
    assert agon.Images(path=paths["array"], values=(0, 12), holdout=0.0).take(2).real.max() == 1
