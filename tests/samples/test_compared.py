"""Tables of samples are compared with the data column by column, whatever their order."""

from pathlib import Path

import numpy as np
import pandas
import pytest

from agon.data import Numeric
from agon.errors import DataError
from agon.evaluation import evaluate_samples

UNITS = pandas.DataFrame(np.random.default_rng(0).normal(size=(400, 2)), columns=["a", "b"]) * [1, 10] + [0, 50]
SAMPLES = pandas.DataFrame(np.random.default_rng(1).normal(size=(400, 2)), columns=["a", "b"]) * [1, 10] + [0, 50]


def test_columns_are_compared_by_name(tmp_path: Path) -> None:
    UNITS.to_csv(tmp_path / "data.csv", index=False)
    source = Numeric(path=str(tmp_path / "data.csv"))

    def precision(samples: pandas.DataFrame, source: Numeric = source) -> float:
        samples.to_csv(tmp_path / "s.csv", index=False)
        scores = evaluate_samples(tmp_path / "s.csv", source, metrics=["prdc"], n=400, show=False)
        return next(score.value for score in scores["prdc"].scores if "precision" in score.name)

    expected = precision(SAMPLES)
    assert expected > 0.9
    assert precision(SAMPLES[["b", "a"]]) == expected
    assert precision(SAMPLES.assign(c=1.5)[["c", "b", "a"]]) == expected
    assert precision(SAMPLES.set_axis(["x0", "x1"], axis=1)) == expected
    assert precision(SAMPLES, Numeric(path=source.path, columns=("b",))) > 0.9
    with pytest.raises(DataError, match="'b' does not exist; there are a"):
        precision(SAMPLES[["a"]])
