"""Make samples from a run, write them to files, and read real samples or another program's."""

from agon.samples.inversion import invert_features
from agon.samples.making import Drawn, by_class, draw, interpolate, load, sample, walked
from agon.samples.reading import as_compared, chosen, first_samples, read_samples, real_samples
from agon.samples.writing import write

__all__ = [
    "Drawn",
    "as_compared",
    "by_class",
    "chosen",
    "draw",
    "first_samples",
    "interpolate",
    "invert_features",
    "load",
    "read_samples",
    "real_samples",
    "sample",
    "walked",
    "write",
]
