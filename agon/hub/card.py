"""The model card of a published run: README.md, with metadata that the Hub reads."""

from pathlib import Path
from typing import Any

from agon.errors import require
from agon.hub.release import last_picture
from agon.places import HUB, located
from agon.runs import Run, read
from agon.training import Training
from agon.untrusted import shortened

TASK = "unconditional-image-generation"
CARD = """---
{metadata}
---

# {title}

{claim}

{picture}## Use

With agon (`pip install .` in a clone of its repository):

```sh
agon sample hub:{name} --out samples.{ending}
agon evaluate hub:{name}
agon train hub:{name} --out runs/again
```

{alone}## Scores

{scores}

## Training

| | |
|---|---|
{facts}

`experiment.json` is the complete description of the training. The weights are those that `agon sample`
uses{averaged}. Optimisers' states, real samples and paths of the data are not published.
"""
ALONE = """Without agon: `model.safetensors` holds the {player}'s weights, `model.py` its operations in plain PyTorch,
and `config.json` what goes in and comes out.

```python
from model import load

network = load("model.safetensors")  # {arrow}
```

{scaled}"""
SCALED = """The network works with scaled numbers. The table's own are {units}; `config.json` has them under `{name}`.

"""
LEFT_OUT = """agon alone reads these weights: `agon export` cannot write this network for other programs.

"""


def card(name: str, published: Run, training: Training, description: dict[str, Any] | None, licence: str | None) -> str:
    """Return the text of README.md.

    Args:
        name: owner/name on the Hub.
        published: the run directory that is published.
        training: what `agon.load` returned for it.
        description: of model.safetensors; None if there is no such file.
        licence: identifier of the weights' licence, such as apache-2.0; None states none.
    """
    require("huggingface_hub")
    scores = read(published.metrics)
    picture = last_picture(published)
    shape = " x ".join(map(str, training.shape))
    return CARD.format(
        metadata=_metadata(name, training, scores, licence),
        title=name.partition("/")[2],
        claim=f"Players: {', '.join(training.game.players)}. Samples: {shape}.",
        picture=f"![samples]({picture})\n\n" if picture else "",
        name=name,
        ending="png" if len(training.shape) == 3 else "csv",
        alone=_alone(description),
        scores=_table(scores),
        facts="\n".join(f"| {what} | {value} |" for what, value in _facts(training).items()),
        averaged=", averaged over the last steps" if training.experiment.averaging is not None else "",
    )


def _metadata(name: str, training: Training, scores: list[dict[str, Any]], licence: str | None) -> str:
    """The front matter, in the Hub's words."""
    from huggingface_hub import EvalResult, ModelCardData

    images = len(training.shape) == 3
    dataset = _dataset(training)
    results = [
        EvalResult(TASK if images else "other", dataset, dataset, str(score["name"]), score["value"])
        for score in scores
        if isinstance(score.get("value"), int | float)
    ]
    data = ModelCardData(
        library_name="agon",
        tags=["agon", "gan" if "critic" in training.game.players else "generative-model", "pytorch"],
        pipeline_tag=TASK if images else None,
        datasets=[dataset] if "/" in dataset else None,
        license=licence,
        model_name=name.partition("/")[2] if results else None,
        eval_results=results or None,
        ignore_metadata_errors=True,
    )
    return data.to_yaml()


def _dataset(training: Training) -> str:
    """The name of the data: a name on the Hub, or the last part of a path, or the kind of source."""
    path = getattr(training.experiment.data, "path", None)
    if not isinstance(path, str):
        return type(training.experiment.data).__name__.lower()
    place = located(path) if not path.startswith(HUB) else path
    return place.removeprefix(HUB) if place.startswith(HUB) else Path(place).name


def _alone(description: dict[str, Any] | None) -> str:
    if description is None:
        return LEFT_OUT
    ends = (description["input"], description["output"])
    arrow = " -> ".join(f"{end['name']} ({', '.join(map(str, end['shape']))})" for end in ends)
    named = [(name, units) for name in ("input", "output") if (units := description[name].get("units"))]
    scaled = "".join(SCALED.format(name=name, units=units) for name, units in named)
    return ALONE.format(player=description["player"], arrow=arrow, scaled=scaled)


def _table(scores: list[dict[str, Any]]) -> str:
    """The scores as a table, the last of each name."""
    if not scores:
        return "None recorded; `agon evaluate` records them."
    rows = {str(score.get("name")): score for score in scores}
    lines = ["| score | value | error | n | protocol |", "|---|---|---|---|---|"]
    for name, score in rows.items():
        cells = [name, *(_spelled(score.get(key)) for key in ("value", "error", "n", "protocol"))]
        lines.append(f"| {' | '.join(shortened(cell).replace('|', '/') for cell in cells)} |")
    return "\n".join(lines)


def _spelled(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)


def _facts(training: Training) -> dict[str, object]:
    experiment = training.experiment
    parameters = sum(parameter.numel() for parameter in training.game.parameters())
    return {
        "recipe": f"`{shortened(experiment.recipe) or 'none'}`",
        "data": f"`{shortened(_dataset(training))}`",
        "steps": f"{training.step:,}",
        "real images shown": f"{training.images:,}",
        "batch": experiment.batch,
        "seed": experiment.seed,
        "parameters": f"{parameters:,}",
    }
