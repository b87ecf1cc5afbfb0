"""Inception-v3 as TensorFlow published it in 2015, ported by torch-fidelity: the standard for IS, FID and KID."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agon.errors import DataError, SettingError, require
from agon.metrics.extractors import Features, ImageBytes
from agon.metrics.weights import INCEPTION_SHA256, inception_weights

LAYERS = ("64", "192", "768", "2048")
COUNTER = ".num_batches_tracked"  # batch normalisation's counter in training, which some files omit
PRECISIONS = {"float32": torch.float32, "float64": torch.float64}


class Inception:
    """Features and class probabilities by torch-fidelity's Inception-v3.

    Images are resized to 299x299 as in TensorFlow 1; a grey image becomes three equal channels. Probabilities are the
    float64 softmax of the 1008 logits without bias, as in the published Inception scores. An image's features depend
    on the rest of its batch and on the device by at most 1e-5 of their size; float32 on a GPU is full float32. Memory:
    95 MB of weights, and about 20 MB per image of a batch.

    Args:
        weights: a file of weights; None for the published file in torch's folder of checkpoints.
        download: whether to download the published file if it is not there.
        features: the layer, averaged over positions: "2048" (the standard), "768", "192" or "64".
        precision: the precision of the arithmetic, "float32" or "float64"; features are float32 in both.
        device: the device of the network; images are moved there, and features stay there.

    Attributes:
        name: the weights and the layer, in words.
        hash: hex SHA-256 of the file of weights.
        resizer: how images are resized, in words.
        precision: the precision of the arithmetic.

    Raises:
        DataError: the file of weights is missing, damaged, contains code, or belongs to another network.
        SettingError: the layer or the precision is unknown.

    Source: Szegedy et al. 2016; Salimans et al. 2016 for the score; torch-fidelity 0.4 for the port.
    """

    resizer = "TensorFlow 1 bilinear to 299x299 (torch-fidelity)"

    def __init__(
        self,
        weights: Path | None = None,
        download: bool = False,
        *,
        features: str = "2048",
        precision: str = "float32",
        device: torch.device | str = "cpu",
    ) -> None:
        if features not in LAYERS or precision not in PRECISIONS:
            raise SettingError(
                "Inception-v3: expected features 64, 192, 768 or 2048 in float32 or float64, got "
                f"{features} in {precision}"
            )
        loaded = inception_weights(weights, download)
        published = loaded.hash == INCEPTION_SHA256
        kind = "TensorFlow, 2015-12-05" if published else f"weights of {loaded.hash[:8]}, not the published ones"
        self.name = f"Inception-v3 ({kind})" + ("" if features == "2048" else f", features of layer {features}")
        self.hash = loaded.hash
        self.precision = precision
        self._device = torch.device(device)
        network = _network([features, "logits_unbiased"], PRECISIONS[precision])
        network.load_state_dict(_validated(loaded.tensors, network.state_dict(), PRECISIONS[precision]), assign=True)
        self._network = network.requires_grad_(False).eval().to(self._device)

    @torch.no_grad()
    def __call__(self, images: ImageBytes) -> Features:
        """Features "n d", and probabilities "n 1008" in float64.

        Args:
            images: of 1 or 3 channels and any size.

        Raises:
            DataError: images have other numbers of channels.
        """
        if images.shape[1] not in (1, 3):
            raise DataError(f"Inception-v3: expected images of 1 or 3 channels, got {images.shape[1]}")
        coloured = images.to(self._device).expand(-1, 3, -1, -1)
        with _full_precision(self._device):
            features, logits = self._network(coloured)
        return Features(features, logits.cpu().double().softmax(1).to(_with_doubles(self._device)))


def _network(layers: list[str], dtype: torch.dtype) -> Any:
    """torch-fidelity's network without weights, on the meta device, so that it draws and unpickles nothing."""
    require("torch_fidelity")
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Empty(FeatureExtractorInceptionV3):  # type: ignore[misc]  # it has no types
        def __init__(self) -> None:
            nothing = io.BytesIO()  # its constructor wants a pickle: this one is ours
            torch.save({}, nothing)
            nothing.seek(0)
            super().__init__("agon", layers, nothing)
            self.feature_extractor_internal_dtype = dtype  # of images; its own "float64" is float32, in 0.4

        def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
            return super().load_state_dict(state_dict, strict, assign) if state_dict else None

    with torch.device("meta"):
        return Empty()


def _validated(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Check that the tensors are exactly the expected ones, and convert them to `dtype`.

    Raises:
        DataError: a tensor is missing, unexpected, of another shape or type, or not finite.
    """
    counters = {name: torch.tensor(0) for name in expected if name.endswith(COUNTER)}
    tensors = {**counters, **tensors}
    if set(tensors) != set(expected):
        missing, unexpected = set(expected) - set(tensors), set(tensors) - set(expected)
        raise DataError(
            f"weights: expected the {len(expected)} tensors of torch-fidelity's Inception-v3, got a file that lacks "
            f"{len(missing)} of them and has {len(unexpected)} others, such as {min(missing | unexpected)}"
        )
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            shapes = f"{tuple(expected[name].shape)}, got {tuple(tensor.shape)}"
            raise DataError(
                f"weights: expected Inception-v3's {name} to have the shape {shapes}; this is another network"
            )
        if name not in counters and not (tensor.is_floating_point() and bool(tensor.isfinite().all())):
            raise DataError(f"weights: expected finite floating-point numbers in Inception-v3's {name}, got others")
    return {name: tensor if name in counters else tensor.to(dtype) for name, tensor in tensors.items()}


def _with_doubles(device: torch.device) -> torch.device:
    return torch.device("cpu") if device.type == "mps" else device


@contextmanager
def _full_precision(device: torch.device) -> Iterator[None]:
    """Compute in full float32: no TF32, no autocast, no choice of algorithms by speed."""
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("highest")
        with (
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
            torch.autocast(device.type, enabled=False),
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
