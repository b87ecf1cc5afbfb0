"""Copies among samples, on real images split at random: who copies is caught, who does not is not."""

import io
from pathlib import Path

import pytest
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from agon.data import Images
from agon.figures.pictures import to_uint8
from agon.metrics import Score
from agon.metrics.memorisation import Partition, copied_share, held_out_memorisation

SHARED = Path(__file__).parents[3] / "shared" / "data"
FOUND = [name for name in ("mnist", "cifar10") if (SHARED / name).is_dir()]
LEVELS = 4  # of 255 that a copy or a held-out image is changed by
SIZES = {"digits": (600, 600, 597), "mnist": (4_000, 4_000, 3_000), "cifar10": (4_000, 4_000, 3_000)}
COPIED = {"digits": 0.5, "mnist": 0.1, "cifar10": 0.1}  # share of copies that the sets are large enough to tell from 0


def _stored(name: str, n: int) -> UInt8[Tensor, "n c h w"]:
    """The first n training images; of CIFAR-10 at half the size."""
    if name == "digits":
        return torch.cat([Images(path="digits").stored(split) for split in ("train", "test")])[:n]
    import numpy as np
    from pyarrow import parquet

    file = parquet.ParquetFile(next((SHARED / name).glob("train*.parquet")))
    rows = next(file.iter_batches(batch_size=n, columns=["image"])).to_pylist()
    images = torch.stack([torch.from_numpy(np.array(Image.open(io.BytesIO(row["image"]["bytes"])))) for row in rows])
    if images.ndim == 3:
        return images[:, None]
    halved = torch.nn.functional.avg_pool2d(images.permute(0, 3, 1, 2).float(), 2)
    return to_uint8(halved, 0.0, 255.0)


def _perturbed(images: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
    noise = torch.randint(-LEVELS, LEVELS + 1, images.shape, generator=torch.Generator().manual_seed(1))
    return (images.long() + noise).clamp(0, 255).byte()


@pytest.mark.parametrize("name", FOUND or ["digits"])
def test_a_sampler_that_copies_is_caught_and_one_that_does_not_is_not(name: str) -> None:
    """1 sample in 10 is a copy, or none; of the few digits 1 in 2. Copies and others are lightly perturbed alike."""
    m, h, n = SIZES[name]
    images = _stored(name, m + h + n)
    train, held, fresh = images[torch.randperm(m + h + n, generator=torch.Generator().manual_seed(0))].split([m, h, n])
    of_set, count = Partition(train, held), round(COPIED[name] * n)
    honest, copying = (
        _copied(of_set, _perturbed(samples)) for samples in (fresh, torch.cat([train[:count], fresh[count:]]))
    )
    assert honest.interval is not None
    assert copying.interval is not None
    assert honest.interval[0] < 0 < honest.interval[1] < COPIED[name] < copying.interval[1]
    assert copying.interval[0] > 0


def _copied(of_set: Partition, samples: UInt8[Tensor, "n c h w"]) -> Score:
    found = of_set.memorisation(samples)
    return copied_share(found, held_out_memorisation(found))
