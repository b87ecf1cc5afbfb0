"""python -m benchmarks.skill OUT [--mnist DATA] [--cifar10 DATA]: whether skill says what other scores say.

It trains small GANs on the ring, on MNIST and on CIFAR-10 under several seeds, each with 20 snapshots, rates the
snapshots by `agon.skill`, scores each of them, and correlates ranks. The same command goes on where it was stopped.
OUT/skill.json has every number; the table and the picture of docs/skill.md are written from it after each run.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import spearmanr

from agon import Adversarial, Compute, Experiment, Images, Run, Turns, Uniform, load, part, recipe, skill, train
from agon.classifiers import classifier_of
from agon.data.points import Mixture
from agon.data.source import Source, as_bytes
from agon.errors import AgonError
from agon.figures.curves import Curve, Panel, curves_png
from agon.metrics import class_coverage, frechet_distance, inception_score, jensen_shannon, mode_coverage, support
from agon.metrics.directions import direction_of
from agon.metrics.intervals import interval
from agon.networks import dcgan
from agon.samples.reading import real_samples

ROOT = Path(__file__).parents[1]
PAGE, PICTURE = ROOT / "docs" / "skill.md", ROOT / "docs" / "gallery" / "skill.png"
SNAPSHOTS, SAMPLES, JUDGED = 20, 2_000, 1_000  # samples: that are scored, and that critics judge
WIDTH, BATCH = 16, 32
CLASSIFIER = {1: 1_000, 3: 500}  # steps of its training, by the number of channels
RARE = {"log_every": 500, "sample_every": 10**6, "checkpoint_every": 10**6}
ONE_THREAD = Compute(device="cpu", threads=1, compile="off")
LATE = 10  # snapshots: the second half, in the logarithm of the steps
Scores = Mapping[str, float]


class Training(NamedTuple):
    """What is trained: an experiment's part that does not depend on the seed, and the seeds."""

    experiment: Experiment
    seeds: range
    title: str


def main() -> None:
    """Train, rate and score each seed of each set, and write the page after each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.skill", description=__doc__)
    parser.add_argument("out", type=Path, help="folder of the runs and scores")
    parser.add_argument("--mnist", default="hub:ylecun/mnist", help="where MNIST is")
    parser.add_argument("--cifar10", default="hub:uoft-cs/cifar10", help="where CIFAR-10 is")
    parser.add_argument("--only", default="", help="names of sets, separated by commas")
    arguments = parser.parse_args()
    known = trainings(arguments.mnist, arguments.cifar10)
    chosen = [name for name in arguments.only.split(",") if name] or list(known)
    for name in chosen:
        for seed in known[name].seeds:
            measured(name, known[name], seed, arguments.out)
            write(arguments.out, known)


def trainings(mnist: str, cifar10: str) -> dict[str, Training]:
    """The trainings by name."""
    ring = replace(recipe("first/ring").experiment(), steps=3_000, **RARE)
    rotating = replace(recipe("metz2017/ring-k0").experiment(), steps=4_000, **RARE)
    return {
        "ring": Training(ring, range(5), "the ring, `first/ring`, 3,000 steps"),
        "ring-k0": Training(rotating, range(3), "the ring, `metz2017/ring-k0`, 4,000 steps"),
        "mnist": Training(images(Images(path=mnist), 2_000), range(3), "MNIST, a narrow DCGAN, 2,000 steps"),
        "cifar10": Training(images(Images(path=cifar10), 1_200), range(3), "CIFAR-10, the same network, 1,200 steps"),
    }


def images(data: Images, steps: int) -> Experiment:
    """A narrow DCGAN."""
    return Experiment(
        game=part(
            Adversarial,
            generator=part(dcgan.Generator, shape=data.shape, width=WIDTH),
            critic=part(dcgan.Critic, shape=data.shape, width=WIDTH),
        ),
        data=data,
        latent=Uniform(),
        dynamics=Turns(draws="round"),
        batch=BATCH,
        steps=steps,
        **RARE,
    )


def measured(name: str, training: Training, seed: int, out: Path) -> None:
    """Train one seed, unless it is there, and write its skill and its scores at every snapshot."""
    file = out / name / f"seed-{seed}.json"
    if file.exists():
        return
    path = out / name / f"seed-{seed}"
    experiment = replace(training.experiment, seed=seed, snapshots=SNAPSHOTS)
    run = train(experiment, path, compute=ONE_THREAD, show=False) if not path.exists() else Run.open(path)
    found = skill(run, n=JUDGED, show=False)
    score = scoring(experiment.data)
    scores = [score(load(run, step=step).sample(SAMPLES, seed=1)) for step in found.steps]
    content = {
        "steps": found.steps,
        "skill": [rating.value for rating in found.generators],
        "critic": [rating.value for rating in found.critics],
        "won": np.nanmean(found.matrix.areas, axis=1).tolist(),
        "unexplained": found.ratings.unexplained,
        "home": found.ratings.home,
        "sentence": found.sentence,
        "scores": {key: [each[key] for each in scores] for key in scores[0]},
    }
    file.write_text(json.dumps(content, indent=1) + "\n")
    print(name, seed, found.sentence, flush=True)


def scoring(source: Source) -> Callable[[Any], Scores]:
    """The function that scores samples of this source: modes of points, or features of images."""
    if isinstance(source, Mixture):
        box = support(real_samples(source, SAMPLES, seed=0))
        return lambda fake: {
            **{score.name: score.value for score in mode_coverage(fake, source.modes, source.std)[:2]},
            "jensen-shannon": jensen_shannon(fake, source.log_density, box).value,
        }
    assert isinstance(source, Images)
    classifier = classifier_of(source, steps=CLASSIFIER[source.shape[0]], show=False)
    real = classifier(source.stored("test")[:SAMPLES]).features

    def score(fake: Any) -> Scores:
        features = classifier(as_bytes(fake, source))
        classes = class_coverage(features.probabilities, source.classes, classifier.name)
        return {
            "classes": classes[0].value,
            "inception-score": inception_score(features.probabilities, 1).value,
            "frechet-distance": frechet_distance(real, features.features, covariance="shrunk").value,
        }

    return score


def read(name: str, out: Path) -> list[dict[str, Any]]:
    """The seeds of a training that are measured."""
    return [json.loads(path.read_text()) for path in sorted((out / name).glob("seed-*.json"))]


def agreement(values: Sequence[float], scores: Sequence[float], name: str) -> float:
    """Spearman's rank correlation with a score, turned so that 1 means that both order the snapshots alike; NaN if one
    of them is the same at all snapshots."""
    direction = direction_of(name)
    assert direction is not None
    good = [-direction.badness(score) for score in scores]
    if len(set(values)) < 2 or len(set(good)) < 2:
        return float("nan")
    return float(spearmanr(values, good).statistic)


def cell(values: Sequence[float]) -> str:
    """A mean over seeds, with its interval and the seeds."""
    finite = [value for value in values if np.isfinite(value)]
    if len(finite) < 2:
        return "—"
    mean, _, half = interval(finite)
    assert half is not None
    return f"**{mean:.2f}** [{max(-1.0, mean - half):.2f}, {min(1.0, mean + half):.2f}]"


def table(out: Path, known: Mapping[str, Training]) -> str:
    """Rows of trainings and scores: how skill, won meetings and the mere step agree with the score."""
    lines = [
        "| training | score | skill | share of won meetings | number of steps | skill, last 10 | steps, last 10 |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, training in known.items():
        seeds = read(name, out)
        for index, score in enumerate(seeds[0]["scores"] if seeds else ()):
            columns = [[agreement(seed[by], seed["scores"][score], score) for seed in seeds] for by in BY]
            columns += [
                [agreement(seed[by][-LATE:], seed["scores"][score][-LATE:], score) for seed in seeds]
                for by in ("skill", "steps")
            ]
            shares = [seed["unexplained"] for seed in seeds]
            unexplained = f"{min(shares):.0%} to {max(shares):.0%} unexplained"
            title = f"{training.title}; {len(seeds)} seeds; {unexplained}" if not index else ""
            lines.append(f"| {title} | {score} | " + " | ".join(map(cell, columns)) + " |")
    return "\n".join(lines)


BY = ("skill", "won", "steps")


def picture(out: Path, known: Mapping[str, Training]) -> bytes:
    """For each training a panel of skill above one of a score, each seed a curve, over the number of the snapshot."""
    names = [name for name in known if read(name, out)]
    first = {name: list(read(name, out)[0]["scores"])[-1] for name in names}

    def panel(name: str, label: str, values: Callable[[dict[str, Any]], list[float]]) -> Panel:
        curves = [
            Curve(f"seed {index}", list(range(1, len(seed["steps"]) + 1)), values(seed))
            for index, seed in enumerate(read(name, out))
        ]
        return Panel(name, curves, "snapshot", label)

    above = [panel(name, "skill (logits)", lambda seed: seed["skill"]) for name in names]
    below = [panel(name, first[name], lambda seed, of=first[name]: seed["scores"][of]) for name in names]
    return curves_png([*above, *below], columns=len(names))


def write(out: Path, known: Mapping[str, Training]) -> None:
    """Write all numbers, and the picture and the table of the page."""
    everything = {name: read(name, out) for name in known}
    (out / "skill.json").write_text(json.dumps(everything) + "\n")
    PICTURE.write_bytes(picture(out, known))
    if not PAGE.exists():
        print(table(out, known))
        return
    before, start, rest = PAGE.read_text().partition("<!-- skill -->\n")
    _, end, after = rest.partition("<!-- /skill -->")
    PAGE.write_text(f"{before}{start}{table(out, known)}\n{end}{after}")


if __name__ == "__main__":
    try:
        main()
    except AgonError as error:
        raise SystemExit(str(error)) from error
