"""python -m benchmarks.few_images DATA OUT [--steps N]: what augmentations do for a DCGAN of 500 images.

It trains four variants (none, mirrored data, DiffAugment, ADA) under three seeds in rounds, and scores every run after
each round, so that it can be stopped at any time; the same command goes on. OUT/scores.json has every score, and the
table of docs/augmentation.md is written after each round.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agon import Adversarial, Compute, Experiment, Images, Run, Turns, Uniform, load, part, resume, sample, train
from agon.augmentation import Adaptive, DiffAugment, Flip
from agon.classifiers import SetClassifier, classifier_of
from agon.data.source import as_bytes
from agon.metrics.kid import kernel_distance
from agon.networks import dcgan
from agon.runs.records import read_log

PAGE = Path(__file__).parents[1] / "docs" / "augmentation.md"
FEW, CLASSES = 500, 10
WIDTH, BATCH = 16, 32
ROUND = 1_000  # steps between two scores
SEEDS = range(3)
SAMPLES, REAL, SUBSETS = 2_000, 5_000, 20
CLASSIFIER = 1_500  # steps of its training
VARIANTS: Mapping[str, Mapping[str, Any]] = {  # settings of the experiment, and of its game
    "none": {},
    "flip": {"augment": (Flip(),)},
    "diffaugment": {"game": {"augmentation": DiffAugment()}},
    "ada": {"game": {"augmentation": Adaptive(images=100_000)}},  # 500,000 is longer than the training
}


def main() -> None:
    """Train round after round, and print a table after each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.few_images", description=__doc__)
    parser.add_argument("data", help="CIFAR-10: a folder of its parquet files, or hub:uoft-cs/cifar10")
    parser.add_argument("out", type=Path, help="folder of the runs and scores")
    parser.add_argument("--steps", type=int, default=6_000)
    arguments = parser.parse_args()
    source = Images(path=arguments.data)
    few = few_of(source, arguments.out / "few.npz")
    classifier = classifier_of(source, steps=CLASSIFIER)
    assert isinstance(classifier, SetClassifier)
    real = classifier(source.stored("test")[:REAL]).features
    for steps in range(ROUND, arguments.steps + 1, ROUND):
        for seed in SEEDS:
            for variant in VARIANTS:
                run = trained(few, variant, seed, steps, arguments.out)
                record(run, variant, seed, steps, classifier, real, arguments.out / "scores.json")
        write(table(arguments.out / "scores.json"))


def write(rows: str) -> None:
    """Put the table between its marks in the page."""
    before, start, rest = PAGE.read_text().partition("<!-- few images -->\n")
    _, end, after = rest.partition("<!-- /few images -->")
    PAGE.write_text(f"{before}{start}{rows}\n{end}{after}")


def few_of(source: Images, file: Path) -> Images:
    """Write as many images of each class of the training split into a file, the same at every call."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        drawn = source.open(seed=0).draw(20 * FEW, 0, 0, 1)
        assert drawn.label is not None
        chosen = torch.cat([(drawn.label == k).nonzero()[: FEW // CLASSES, 0] for k in range(CLASSES)])
        images, labels = as_bytes(drawn.real[chosen], source), drawn.label[chosen]
        np.savez(file, images=images.numpy(), labels=labels.numpy())
    return Images(path=str(file), holdout=0.0)


def experiment(data: Images, variant: str, seed: int, steps: int) -> Experiment:
    """A narrow DCGAN of these images."""
    settings = dict(VARIANTS[variant])
    game = settings.pop("game", {})
    return Experiment(
        game=part(
            Adversarial,
            generator=part(dcgan.Generator, shape=data.shape, width=WIDTH),
            critic=part(dcgan.Critic, shape=data.shape, width=WIDTH),
            **game,
        ),
        data=data,
        latent=Uniform(),
        dynamics=Turns(draws="round"),
        batch=BATCH,
        steps=steps,
        seed=seed,
        log_every=100,
        sample_every=ROUND,
        checkpoint_every=ROUND,
        **settings,
    )


def trained(data: Images, variant: str, seed: int, steps: int, out: Path) -> Run:
    """A run at so many steps: new, or one that goes on."""
    directory, compute = out / variant / f"seed-{seed}", Compute(device="cpu", threads=1, compile="off")
    if not directory.exists():
        return train(experiment(data, variant, seed, steps), directory, compute=compute, show=False)
    run = Run.open(directory)
    return (
        run if run.described["steps"] >= steps and finished(run, steps) else resume(directory, steps=steps, show=False)
    )


def finished(run: Run, steps: int) -> bool:
    """Whether a run has a checkpoint of this step or a later one."""
    checkpoint = run.last_good()[0]
    return checkpoint is not None and checkpoint.step >= steps


def record(
    run: Run, variant: str, seed: int, steps: int, classifier: SetClassifier, real: torch.Tensor, file: Path
) -> None:
    """Add the kernel distance of a run's samples from the test images, unless it is there or the run is further."""
    scores = json.loads(file.read_text()) if file.exists() else []
    training = load(run)
    if training.step != steps or any((s["variant"], s["seed"], s["step"]) == (variant, seed, steps) for s in scores):
        return
    source = training.experiment.data
    assert isinstance(source, Images)
    features = classifier(as_bytes(sample(training, SAMPLES), source)).features
    score = kernel_distance(real, features, subsets=SUBSETS)
    last = read_log(run.log)[-1]
    entry = {"variant": variant, "seed": seed, "step": steps, "kid": score.value, "error": score.error}
    entry |= {
        name: last[name] for name in ("augmentation/p", "augmentation/overfitting", "wall/seconds") if name in last
    }
    file.write_text(json.dumps([*scores, entry], indent=1) + "\n")


def table(file: Path) -> str:
    """Rows of variants, columns of steps: the mean over seeds, and in brackets each seed's distance."""
    scores = json.loads(file.read_text())
    steps = sorted({score["step"] for score in scores})
    lines = [
        "| augmentation | " + " | ".join(f"{step:,} steps" for step in steps) + " |",
        "|---" * (1 + len(steps)) + "|",
    ]
    for variant in VARIANTS:
        cells = []
        for step in steps:
            values = [s["kid"] for s in scores if (s["variant"], s["step"]) == (variant, step)]
            each = ", ".join(f"{value:.3f}" for value in values)
            cells.append(f"**{np.mean(values):.3f}** ({each})" if values else "")
        lines.append(f"| {variant} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
