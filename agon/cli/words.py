"""What people type for a setting: the names of other programs, and short values."""

import json
from collections.abc import Mapping

from agon.untrusted import parse_json

PLACES: Mapping[str, str] = {  # what people type -> the path of the setting
    "learning_rate": "optimisers.lr",
    "lr": "optimisers.lr",
    "betas": "optimisers.betas",
    "optimiser": "optimisers",
    "optimizer": "optimisers",
    "optimizers": "optimisers",
    "batch_size": "batch",
    "batchsize": "batch",
    "iterations": "steps",
    "iters": "steps",
    "max_steps": "steps",
    "num_steps": "steps",
    "image_size": "data.size",
    "img_size": "data.size",
    "resolution": "data.size",
    "size": "data.size",
    "channels": "data.channels",
    "values": "data.values",
    "ema": "averaging",
    "ema_decay": "averaging",
    "latent_dim": "latent",
    "latent_size": "latent",
    "nz": "latent",
    "z_dim": "latent",
    "loss": "game.objective",
    "objective": "game.objective",
    "penalties": "game.penalties",
    "penalty": "game.penalties",
    "unroll": "dynamics.steps",
    "unrolled_steps": "dynamics.steps",
    "d_steps": "n_critic",
    "critic_steps": "n_critic",
}
FIELDS: Mapping[str, Mapping[str, str]] = {  # the first name of a path -> what people type after it
    "data": {"resolution": "size", "image_size": "size", "img_size": "size"},
    "optimisers": {"learning_rate": "lr"},
}


def translated(path: str, value: str) -> tuple[str, str]:
    """The path and the value of the setting that is meant; both as they are if they need no translation.

    >>> translated("resolution", "32"), translated("ema", "0.999"), translated("latent", "32")
    (('data.size', '32'), ('averaging', '{"type": "averaging", "decay": 0.999}'), ('game.generator.latent', '32'))
    >>> translated("n_critic", "2")
    ('dynamics.order', '[["critic"], ["critic"], ["generator"]]')
    """
    path = PLACES.get(path, path)
    first, *rest = path.split(".")
    first = PLACES.get(first, first) if rest else first
    path = ".".join([first, *(FIELDS.get(first, {}).get(name, name) for name in rest)])
    number = _number(value)
    if path == "latent" and number is not None:
        return "game.generator.latent", value
    if path == "averaging" and number is not None:
        return path, json.dumps({"type": "averaging", "decay": number})
    if path == "n_critic" and isinstance(number, int) and 1 <= number <= 1_000:
        return "dynamics.order", json.dumps([["critic"]] * number + [["generator"]])
    return path, value


def _number(text: str) -> float | int | None:
    try:
        value = parse_json(text)
    except ValueError:
        return None
    return value if type(value) in (int, float) else None
