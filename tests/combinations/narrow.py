"""Any part of the rooms' tables, narrow enough to be tried in a fraction of a second."""

import inspect
from typing import Any

from agon.experiment import Part, part
from agon.networks import autoencoder

INNER = {"encoder": autoencoder.Encoder, "decoder": autoencoder.Decoder}  # of networks that are made of others
WIDE, NARROW = 8, 8  # every size over the one becomes the other: kernels, strides and steps stay what they are


def narrow(make: Any, **settings: Any) -> Part:
    """A part with all its default sizes narrow; those that have no default, and its wishes, are `settings`."""
    defaults = {n: p.default for n, p in inspect.signature(make).parameters.items() if p.default is not p.empty}
    known = inspect.signature(make).parameters
    shrunk: dict[str, Any] = {name: _narrow(value) for name, value in defaults.items() if _narrow(value) != value}
    shrunk |= {name: narrow(INNER[name], **settings) for name in known if name in INNER and name not in defaults}
    return part(make, **{**shrunk, **{name: value for name, value in settings.items() if name in known}})


def _narrow(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_narrow(each) for each in value)
    return NARROW if type(value) is int and value > WIDE else value
