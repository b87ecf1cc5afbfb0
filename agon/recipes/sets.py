"""The papers' sets of images: the default data of recipes, and the settings for reading other data.

At smoke scale, each set is replaced by the bundled digits at its shape. At the other scales it is a set on the
Hugging Face Hub, downloaded once, or a folder that must exist.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agon.data import Images, Source
from agon.errors import DataError
from agon.recipes.scales import Scale


@dataclass(frozen=True)
class ImageSet:
    """A set of images as a recipe's `data`.

    Attributes:
        title: its name in papers.
        path: "hub:" and a name on the Hub, or a folder.
        size: side of the images in pixels.
        channels: 1 or 3.
    """

    title: str
    path: str
    size: int
    channels: int

    def __call__(self, scale: Scale) -> Source:
        """Make the source for a scale."""
        settings: dict[str, Any] = {"size": self.size, "channels": self.channels}
        return Images(path="digits" if scale == "smoke" else self.path, **settings)


def read_as(data: Source, **settings: Any) -> Source:
    """Change settings of a set of images, such as range=(0.0, 1.0) or only=2; points are returned unchanged."""
    return replace(data, **settings) if isinstance(data, Images) else data


def classes_of(data: Source) -> int:
    """The number of classes of a source, for networks that take labels.

    Raises:
        DataError: it has none.
    """
    if not data.classes:
        raise DataError(
            "a class-conditional recipe: expected data with classes, got none; use a labelled set, such as digits, or "
            "a folder with a folder of images for each class"
        )
    return len(data.classes)


MNIST = ImageSet("MNIST", "hub:ylecun/mnist", 28, 1)
CIFAR10 = ImageSet("CIFAR-10", "hub:uoft-cs/cifar10", 32, 3)
STL10_48 = ImageSet("STL-10 at 48x48", "hub:tanganke/stl10", 48, 3)
STL10_96 = ImageSet("STL-10", "hub:tanganke/stl10", 96, 3)
CELEBA = ImageSet("CelebA at 64x64", "hub:flwrlabs/celeba", 64, 3)
LSUN_CHURCH = ImageSet("LSUN church at 64x64", "hub:tglcourse/lsun_church_train", 64, 3)
LSUN_ROOMS = ImageSet("LSUN living room and kitchen at 64x64", "./lsun-rooms", 64, 3)  # no set on the Hub has both
IMAGENET = ImageSet("ImageNet at 64x64", "hub:ILSVRC/imagenet-1k", 64, 3)

Data = Callable[[Scale], Source]
SETS: Mapping[str, Data] = {
    "mnist": MNIST,
    "cifar10": CIFAR10,
    "stl10-48": STL10_48,
    "stl10-96": STL10_96,
    "celeba": CELEBA,
    "lsun-church": LSUN_CHURCH,
    "lsun-rooms": LSUN_ROOMS,
    "imagenet": IMAGENET,
}
