"""Command lines that nobody should type: every recipe and setting, with values that do not belong there."""

import json
import random
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from agon.experiment import Part
from agon.experiment.changes import _settings
from agon.experiment.names import PARTS
from agon.recipes import RECIPES

TINY = ("--scale", "smoke", "--steps", "1", "--threads", "1", "--device", "cpu")
LONG = ("steps",)  # settings that mean time: a large one is a long training, and no fault
HUGE = ("1000000000", "100000000000000000000", "1e30", "1e308", "[1000000000]", "[1000000000, 1000000000]")
ODD = (
    *("0", "-1", "1", "2", "3", "7", "0.5", "-0.5", "1e-30", "1e400", "nan", "NaN", "Infinity", "-Infinity"),
    *("null", "none", "true", "false", "", " ", '""', '"a"', "[]", "{}", "[[]]", "[null]", "[0]", "[1, 2]", "[-1, 1]"),
    *("é", "零", "a b", "a=b", "..", "\x1b[31m", "\ud800", "\x00", "a" * 5_000, "9" * 5_000),
    *("[" * 100_000, '{"a":' * 100_000, "[" * 90 + "]" * 90, '{"a": 1}', '{"type": 3}', '{"type": "nobody"}'),
    *('{"type": "adam", "lr": "fast"}', '{"import": "os:system"}', '{"instance": "x"}', '{"": null}'),
    *('["generator"]', '[["generator"]]', '[["critic"], ["generator"]]', '[["critic", "generator"]]', '["r1", 3]'),
    *('{"generator": "adam"}', '{"generator": ["critic"]}', '[0.0, 1e-9]', '["a", 1]', '[3, 4, 5]', '[[1, 2], [3]]'),
)  # fmt: skip
WORDS = (
    *("", "-", "--", "nowhere", "-1", "0", "x.png", "x.npz", "a\nb", "é\ud800", "\x1b]0;t\x07", "/", "\x00"),
    *("a" * 5_000, "/" + "a/" * 3_000, "~", "*", "a,b", ",", "1,2", "NaN", "∞"),
)  # fmt: skip

FEW = ("0", "-1", "1", "2", "nan", "x", "", "1e9", "99999999999999999999", "True", "é")
SOURCES = ("digits", "ring", "grid", "dirac", "gaussian", "swiss-roll", "images")
METRICS = ("", "pairwise", "fid,kid,prdc,is", "modes", "x", "neighbours,paths", "prdc", "modes,pairwise", ",")
OPTIONS: Mapping[str, Sequence[str]] = {
    "--seed": FEW,
    "--memory": (*FEW, "inf", "-inf", "1e400"),
    "--threads": ("0", "-1", "1", "x", "99999999999999999999"),
    "--precision": ("fp64", "bf16", "fp16"),
    "--compile": ("off", "maybe"),
    "--scale": ("smoke", "huge"),
    "--evaluate": ("modes", "pairwise", "fid", "nothing", ",", "é", "paths,reconstruction"),
    "--evaluate-every": ("0", "-1", "1", "x"),
    "--evaluate-n": ("0", "-1", "1", "2", "x"),
    "--evaluate-extractor": ("pixels", "nobody", "os:x"),
    "--devices": ("0", "-1", "x", "64"),
    "--device": ("cuda", "mps", "tpu"),
    "--out": WORDS,
    "--strategy": ("batched", "x"),
    "--alarms": ("warn", "stop", "off", "loud"),
}


class Place(NamedTuple):
    """Where a case may find and leave things.

    Attributes:
        out: a folder of its own.
        things: runs, folders and files, some of them broken, by name.
    """

    out: Path
    things: Mapping[str, Path]


def case(seed: int, index: int, place: Place) -> list[str]:
    """The command line with this number under a seed."""
    rng = random.Random(f"{seed}/{index}")
    make = rng.choices((_setting, _options, _command), weights=(7, 2, 3))[0]
    return make(rng, place)


def told(arguments: Sequence[str]) -> str:
    """What repeats a case in a shell."""
    return "agon " + " ".join(shlex.quote(a) if len(a) < 300 else f"{a[:20]!r}*{len(a)}" for a in arguments)


@cache
def settings(recipe: str) -> tuple[str, ...]:
    """The paths of all settings of a recipe."""
    experiment = RECIPES[recipe].experiment(RECIPES[recipe].data("smoke"), "smoke")
    return tuple(_paths(experiment))


def _paths(owner: Any, before: str = "") -> Iterator[str]:
    for name, value in _settings(owner)[0].items():
        yield f"{before}{name}"
        if isinstance(value, Part | tuple | Mapping) or hasattr(value, "__dataclass_fields__"):
            yield from _paths(value, f"{before}{name}.")


def _value(rng: random.Random, path: str) -> str:
    names = list(PARTS)
    huge = HUGE if path.rpartition(".")[2] not in LONG else ()
    return rng.choices(
        (rng.choice(ODD), rng.choice(huge or ODD), rng.choice(names), json.dumps([rng.choice(names)])),
        weights=(6, 2, 2, 1),
    )[0]


def _changes(rng: random.Random, recipe: str) -> Iterator[str]:
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        path = rng.choice(settings(recipe))
        if rng.random() < 0.05:
            path = rng.choice((path + ".x", path + ".0", path[:-1], path.upper(), "." + path, path + "é", ""))
        yield f"--set={path}={_value(rng, path)}"


def _setting(rng: random.Random, place: Place) -> list[str]:
    recipe = rng.choice(list(RECIPES))
    return ["train", recipe, *TINY, *_changes(rng, recipe), "--out", str(place.out)]


def _options(rng: random.Random, place: Place) -> list[str]:
    """train with its own options."""
    recipe = rng.choice(list(RECIPES))
    options = {**OPTIONS, "--data": (*WORDS, *SOURCES, *map(str, place.things.values()))}
    chosen = rng.sample(sorted(options), rng.choice((1, 1, 2)))
    given = [f"{name}={rng.choice(options[name])}" for name in chosen]
    changes = list(_changes(rng, recipe)) if rng.random() < 0.3 else []
    return ["train", recipe, *TINY, "--out", str(place.out), *given, *changes]


def _command(rng: random.Random, place: Place) -> list[str]:
    """Any command, about what is there and what is not."""
    name = rng.choice(sorted(COMMANDS))
    words = COMMANDS[name](Words(rng, place))
    if words and rng.random() < 0.15:
        words[rng.randrange(len(words))] = rng.choice(WORDS)
    return [*name.split("-")[:1], *words] if name else words


@dataclass(frozen=True)
class Words:
    """Draws what commands are told."""

    rng: random.Random
    place: Place

    def pick(self, *words: str) -> str:
        """One of these."""
        return self.rng.choice(words)

    @property
    def thing(self) -> str:
        """A path, mostly to something."""
        things = list(map(str, self.place.things.values()))
        return self.pick(*things) if self.rng.random() < 0.8 else self.pick(*WORDS, "/dev/zero", "/proc/self/mem")

    @property
    def number(self) -> str:
        """A number of samples, or something like it."""
        return self.pick("0", "1", "2", "5", "-1", "x", "nan", "1000000000000")

    @property
    def out(self) -> str:
        """Where something can be written, or not."""
        there = (str(self.place.out), *(f"{self.place.out}{end}" for end in (".png", ".npz", "/x/y.png")))
        return self.pick(*there, *WORDS[:8], *map(str, self.place.things.values()))

    @property
    def change(self) -> str:
        """A setting of a source."""
        return f"{self.pick('size', 'n', 'std', 'holdout', 'x', 'only', 'data.range')}={_value(self.rng, '')}"


COMMANDS: Mapping[str, Callable[[Words], list[str]]] = {
    "recipes": lambda w: [w.pick(*WORDS, "im2016")],
    "data": lambda w: [w.pick(w.thing, *SOURCES), f"--n={w.number}", f"--out={w.out}", f"--set={w.change}"],
    "resume": lambda w: [w.thing, f"--steps={w.pick('0', '1', '2', '-1', 'x')}", f"--alarms={w.pick('stop', 'warn')}"],
    "train-anew": lambda w: [
        w.thing,
        *TINY,
        f"--alarms={w.pick('stop', 'off')}",
        f"--init={w.thing}",
        f"--out={w.out}",
    ],
    "diagnose": lambda w: [w.thing, *w.rng.choice(((), ("--json",), (w.thing,)))],
    "sample": lambda w: [w.thing, f"--out={w.out}", f"--n={w.number}", f"--interpolate={w.pick('0', '0', w.number)}"],
    "evaluate": lambda w: [w.thing, f"--n={w.number}", f"--metrics={w.pick(*METRICS)}", "--extractor=pixels"],
    "evaluate-samples": lambda w: [
        *(f"--samples={w.thing}", f"--data={w.pick(w.thing, *SOURCES)}", f"--n={w.number}"),
        *(f"--metrics={w.pick(*METRICS)}", "--extractor=pixels", f"--out={w.out}"),
    ],
    "battle": lambda w: [w.thing, w.pick(w.thing, f"--against={w.thing}"), f"--n={w.number}", f"--tie={w.number}"],
    "skill": lambda w: [w.thing, f"--out={w.out}", f"--n={w.number}", f"--seed={w.number}"],
    "tournament": lambda w: [w.thing, w.thing, f"--out={w.out}", f"--n={w.number}", f"--seed={w.number}"],
    "compare": lambda w: [w.thing, f"--with={w.thing}", *w.rng.choice(((), (f"--metrics={w.pick(*METRICS)}",)))],
    "report": lambda w: [w.thing, *w.rng.choice(((), (w.thing,))), *w.rng.choice(((), (f"--out={w.out}",)))],
    "reproduce": lambda w: [w.pick(*WORDS, "x/y"), "--scale=smoke", f"--out={w.out}", f"--seeds={w.number}"],
    "": lambda w: [w.pick(*WORDS), w.pick(*WORDS)],
}
