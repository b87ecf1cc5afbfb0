"""One command's scores of 10,000 samples of MNIST against the same scores by torch-fidelity, prdc and scikit-learn.

python -m benchmarks.evaluation FILE: the side by hand, on the arrays of a file, in a process of its own.
"""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from agon.classifiers import classifier_of
from agon.data import Images
from agon.evaluation.evidence import ALL
from agon.metrics.extractors import extract
from agon.samples.reading import real_samples
from benchmarks.report import Section, table
from benchmarks.sets import SHARED, Set, own_cache
from benchmarks.timing import Rounds, compared

N, BOUND, ROUNDS = 10_000, 0.5, 240  # seconds of all rounds
METRICS = "classifier,fid,kid,prdc,pairwise,neighbours"
NOISE = 20  # levels of 255 on training images, which are the samples: what is scored does not matter here


def section(sets: list[Set], quick: bool) -> Section:
    """Two rows: the command, and the program that one would write."""
    source = Images(path=str(SHARED / "mnist")) if (SHARED / "mnist").is_dir() else Images(path="digits")
    n, rounds = (
        (1_500, Rounds(1)) if quick else (N, Rounds(3, bound=BOUND, least=2, seconds=ROUNDS))
    )  # the Fréchet distance needs more samples than features
    with TemporaryDirectory() as folder, own_cache():  # the classifier is trained once a machine, not in every run
        classifier_of(source)  # before the clock runs, for both
        file = _saved(Path(folder) / "samples.npz", source, n)
        by_hand = [sys.executable, "-m", "benchmarks.evaluation", str(file)]
        both = compared(lambda: _command(file, source, n), lambda: _run(by_hand), rounds, warm=0)
    ours, theirs = (f"{milliseconds / 1000:.1f}" for milliseconds in (both.ours, both.theirs))
    return Section(
        "Evaluation",
        f"Wall time of `agon evaluate --samples FILE --data mnist --metrics {METRICS}` of {n:,} samples, start-up "
        "included, against a program that computes the same on the same features, in a process of its own, by turns: "
        f"{rounds}; medians. By hand: agon's classifier of the set, for both sides; the Fréchet distance "
        "(`fid_statistics_to_metric`) and the kernel distance (100 subsets of 1,000) of torch-fidelity, `compute_prdc` "
        'of prdc, distances of 10,000 random pairs in NumPy, and `NearestNeighbors(algorithm="brute")` of '
        "scikit-learn, its fastest algorithm at 784 pixels, for the nearest training and held-out image of each sample "
        "and of each held-out image, which a memorisation score needs. Nothing is kept from before but the decoded "
        f"images and the trained classifier. Bound: {BOUND}.",
        table(
            ("agon evaluate, s", "by hand, s", "ours / theirs", "95 % interval", "rounds"),
            [(ours, theirs, f"**{both.ratio:.2f}**", f"{both.low:.2f}-{both.high:.2f}", f"{both.rounds}")],
        ),
    )


def _command(file: Path, source: Images, n: int) -> None:
    options = ["--samples", str(file), "--data", str(source.path), "--metrics", METRICS, "--extractor", "classifier"]
    command = [sys.executable, "-c", "import sys; from agon.cli import main; sys.exit(main(sys.argv[1:]))", "evaluate"]
    _run([*command, *options, "--n", str(n)])


def _run(command: list[str]) -> None:
    subprocess.run(command, env=dict(os.environ), capture_output=True, check=True)


def _saved(file: Path, source: Images, n: int) -> Path:
    """Samples as any program leaves them, and the real images that a program by hand would have in an array."""
    train, held = real_samples(source, ALL), real_samples(source, ALL, split=source.held_out)
    rng = np.random.default_rng(0)
    noise = rng.integers(-NOISE, NOISE + 1, train[:n].shape)
    samples = (train[:n].numpy() + noise).clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
    np.savez(file, samples=samples)
    np.savez(file.with_name("real.npz"), train=train.numpy(), held=held.numpy(), path=str(source.path))
    return file


def program(file: Path) -> None:
    """The program that one would write."""
    from prdc import compute_prdc
    from sklearn.neighbors import NearestNeighbors
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric

    samples = torch.from_numpy(np.load(file)["samples"].transpose(0, 3, 1, 2).copy())
    real = np.load(file.with_name("real.npz"))
    train, held = torch.from_numpy(real["train"]), torch.from_numpy(real["held"])
    network = classifier_of(Images(path=str(real["path"])))
    chosen = train[torch.randperm(len(train))[: len(samples)]]
    fake_side, real_side = extract(network, samples), extract(network, chosen)
    fake, true = fake_side.features, real_side.features
    assert fake_side.probabilities is not None
    scores = {
        "shares": fake_side.probabilities.argmax(1).bincount(),
        "confidence": fake_side.probabilities.amax(1).mean(),
    }
    statistics = (fid_features_to_statistics(each) for each in (fake, true))
    scores |= fid_statistics_to_metric(*statistics, verbose=False)
    size = min(1_000, len(fake))
    scores |= kid_features_to_metric(fake, true, kid_subset_size=size, verbose=False)
    with contextlib.redirect_stdout(io.StringIO()):
        scores |= compute_prdc(true.numpy(), fake.numpy(), nearest_k=5)
    pixels = {name: each.flatten(1).numpy() / np.float32(255) for name, each in (("fake", samples), ("held", held))}
    pairs = np.random.default_rng(0).permutation(len(samples)).reshape(2, -1)
    scores["pairwise"] = np.linalg.norm(pixels["fake"][pairs[0]] - pixels["fake"][pairs[1]], axis=1)
    for name, side in (("train", train.flatten(1).numpy() / np.float32(255)), ("held", pixels["held"])):
        fitted = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(side)
        scores[f"from samples to {name}"] = fitted.kneighbors(pixels["fake"])[0].mean()
        query = None if name == "held" else pixels["held"]  # None: of the fitted images, without themselves
        scores[f"from held-out images to {name}"] = fitted.kneighbors(query)[0].mean()
    print(scores)


if __name__ == "__main__":
    program(Path(sys.argv[1]))
