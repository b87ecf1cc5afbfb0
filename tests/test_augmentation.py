"""Augmentations: identities, hand calculations, derivatives, what leaks and what does not, and ADA's rule."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from agon import part
from agon.augmentation import (
    AUGMENTATIONS,
    Adaptation,
    Adaptive,
    Augmentation,
    Colour,
    Cutout,
    DiffAugment,
    Flip,
    Pipeline,
    Translation,
    overfitting,
)
from agon.augmentation.pipeline import _recoloured
from agon.augmentation.warping import gathered, indexed, matrix, reflected, shifted, turning, warped
from agon.errors import SettingError

NAMES = sorted(AUGMENTATIONS)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(*shape: int, seed: int = 1, low: float = -1.0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(shape, generator=rng(seed), dtype=dtype) * (1 - low) + low


def made(name: str, **settings: Any) -> Augmentation:
    """By its name, with a range if it takes one."""
    return AUGMENTATIONS[name](**({} if name == "flip" else settings))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(6, 3, 8, 8), (6, 1, 7, 10), (6, 3, 1, 1)], ids=str)
@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_at_probability_0_it_is_the_identity_bit_for_bit(name: str, shape: tuple[int, ...], low: float) -> None:
    x, augmentation = images(*shape, low=low), made(name, range=(low, 1.0))
    noise = augmentation.noise(6, rng())
    assert torch.equal(augmentation(x, noise, 0.0), x)
    assert torch.equal(augmentation(x, noise, torch.tensor(0.0)), x)
    assert augmentation(x, noise).shape == x.shape
    assert shape[-1] == 1 or not torch.equal(augmentation(x, noise), x)


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_one_row_an_image_and_all_that_it_uses(name: str) -> None:
    augmentation, x = made(name), images(5, 3, 8, 8)
    noise = augmentation.noise(5, rng())
    assert noise.shape == (5, augmentation.numbers)
    assert torch.equal(noise, augmentation.noise(5, rng()))
    whole = augmentation(x, noise, 0.7)
    for i in range(5):  # an image does not depend on the others
        torch.testing.assert_close(augmentation(x[i : i + 1], noise[i : i + 1], 0.7), whole[i : i + 1])
    assert torch.equal(augmentation(x, noise, 0.7), whole)  # nothing is drawn in the call


@pytest.mark.parametrize("name", NAMES)
def test_first_and_second_derivatives_are_finite_differences(name: str) -> None:
    augmentation, x = made(name), images(1, 3, 3, 3, dtype=torch.float64).requires_grad_()
    noise = augmentation.noise(1, rng(3)).double()

    def squared(x: Tensor) -> Tensor:
        return augmentation(x, noise, 0.8).square()

    assert torch.autograd.gradcheck(squared, [x])
    assert torch.autograd.gradgradcheck(squared, [x])


@pytest.mark.parametrize("name", NAMES)
def test_seeds_together_are_what_they_are_alone(name: str) -> None:
    """By vmap, each with its own probability."""
    augmentation, x, p = made(name), images(2, 3, 3, 8, 8), torch.tensor([0.3, 0.9])
    noise = torch.stack([augmentation.noise(3, rng(seed)) for seed in (0, 1)])
    together = torch.func.vmap(augmentation)(x, noise, p)
    for s in (0, 1):
        torch.testing.assert_close(together[s], augmentation(x[s], noise[s], p[s]))


def test_a_flip_mirrors_half_of_the_images() -> None:
    x = images(4_000, 1, 1, 2)
    noise = Flip().noise(4_000, rng())
    for p in (1.0, 0.5):
        mirrored = (Flip()(x, noise, p) == x.flip(3)).all(3).flatten().double().mean()
        assert float(mirrored) == pytest.approx(p / 2, abs=4 * math.sqrt(p / 2 / 4_000))


def test_a_translation_moves_pixels_by_up_to_its_share_each_as_often() -> None:
    translation, n = Translation(share=0.25, border="centre"), 5_000
    x = torch.zeros(n, 1, 8, 8)
    x[:, :, 4, 3] = 1.0
    moved = translation(x, translation.noise(n, rng())).sum(0)[0]
    inside = moved[2:7, 1:6]
    assert moved.sum() == inside.sum() == n
    assert (inside / n - 1 / 25).abs().max() < 4 * math.sqrt(1 / 25 / n)


def test_borders_are_reflected_or_of_one_value() -> None:
    x = torch.arange(4.0).reshape(1, 1, 1, 4)
    two = torch.tensor([2.0])
    assert shifted(x, 0 * two, two).flatten().tolist() == [2, 1, 0, 1]
    assert shifted(x, 0 * two, -two).flatten().tolist() == [2, 3, 2, 1]
    assert shifted(x, 0 * two, two, 0.5).flatten().tolist() == [0.5, 0.5, 0, 1]
    assert reflected(torch.tensor([-4.0, 4.0, 6.0, 9.0]), 4).tolist() == [2, 2, 0, 3]


def test_cutout_hides_a_rectangle_in_the_middle_of_the_range() -> None:
    cutout, n = Cutout(range=(0.0, 1.0)), 2_000
    cut = cutout(torch.ones(n, 2, 8, 6), cutout.noise(n, rng())) == 0.5
    assert torch.equal(cut[:, 0], cut[:, 1])
    rows, columns = cut[:, 0].any(2).sum(1), cut[:, 0].any(1).sum(1)
    assert torch.equal(rows * columns, cut[:, 0].sum((1, 2)))
    assert set(rows.tolist()) == {2, 3, 4}  # less than half at the border
    assert set(columns.tolist()) == {2, 3}  # 3 is odd: its middle is a pixel, and stays inside


def test_diffaugment_is_the_formulas_of_its_source() -> None:
    """With the numbers of its own noise, image by image."""
    x, augmentation = images(4, 3, 8, 8, dtype=torch.float64), DiffAugment(policy=("colour", "translation"))
    noise = augmentation.noise(4, rng()).double()
    found = augmentation(x, noise)
    for i in range(4):
        _, b, _, s, _, c, _, down, right = noise[i].tolist()
        y = x[i] + (b - 0.5)
        y = (y - y.mean(0)) * 2 * s + y.mean(0)
        y = (y - y.mean()) * (c + 0.5) + y.mean()
        rows, columns = (math.floor(3 * u) - 1 for u in (down, right))
        padded = torch.nn.functional.pad(y, (1, 1, 1, 1))
        torch.testing.assert_close(found[i], padded[:, 1 - rows : 9 - rows, 1 - columns : 9 - columns])


def test_brightness_is_relative_to_the_range() -> None:
    """An augmented image of (0, 1) is the augmented image of (-1, 1), rescaled."""
    x = images(8, 3, 8, 8, dtype=torch.float64)
    for name in ("colour", "cutout", "diffaugment", "bgc"):
        noise = made(name).noise(8, rng()).double()
        half = made(name, range=(0.0, 1.0))((x + 1) / 2, noise)
        torch.testing.assert_close(half * 2 - 1, made(name)(x, noise))


def test_a_quarter_turn_is_exact() -> None:
    x, one, zero = images(2, 3, 5, 5), torch.ones(2), torch.zeros(2)
    for (cosine, sine), turns in {(0, 1): 1, (-1, 0): 2, (0, -1): 3, (1, 0): 0}.items():
        assert torch.equal(warped(x, turning(cosine * one, sine * one)), x.rot90(turns, (2, 3)))
    shift = matrix(one, zero, 2 * one, zero, one, -1 * one)
    assert torch.equal(warped(x, shift), shifted(x, one, -2 * one))


def test_a_plane_is_warped_to_a_plane() -> None:
    """Bilinear interpolation is exact for images that are linear in the place, wherever the place is inside."""
    down, right = (t.double() - 7.0 for t in torch.meshgrid(torch.arange(15), torch.arange(15), indexing="ij"))
    x = (0.3 * right - 0.2 * down + 0.5)[None, None]
    a, b, c, d, e, f = (torch.tensor([v], dtype=torch.float64) for v in (0.6, -0.3, 0.7, 0.2, 0.5, -0.4))
    found = warped(x, matrix(a, b, c, d, e, f))
    expected = 0.3 * (a * right + b * down + c) - 0.2 * (d * right + e * down + f) + 0.5
    torch.testing.assert_close(found[0, 0], expected)


def test_both_ways_to_pick_pixels_are_one() -> None:
    """With derivatives, and for seeds together; some places are taken several times, others never."""
    flat = images(2, 4, 3, 5, dtype=torch.float64)  # two seeds
    places = torch.tensor([[0, 0, 4, 2, 2], [1, 3, 3, 3, 0], [4, 4, 4, 4, 4], [0, 1, 2, 3, 4]]).expand(2, 4, 5)
    assert torch.equal(*(torch.func.vmap(pick)(flat, places) for pick in (gathered, indexed)))
    derivatives = []
    for pick in (gathered, indexed):
        x = flat[0].clone().requires_grad_()
        (first,) = torch.autograd.grad((pick(x, places[0]) ** 3).sum(), x, create_graph=True)
        derivatives += [first.detach(), *torch.autograd.grad(first.square().sum(), x)]
    assert torch.equal(derivatives[0], derivatives[2])
    assert torch.equal(derivatives[1], derivatives[3])


def test_blitting_only_moves_pixels_of_a_square() -> None:
    """With shifts of less than half a pixel, it is one of the square's eight symmetries."""
    pipeline, x = Pipeline(geometry=False, colour=False), images(400, 2, 3, 3)
    blitted = pipeline(x, pipeline.noise(400, rng()))
    eight = [y.rot90(k, (2, 3)) for y in (x, x.flip(3)) for k in range(4)]
    which = torch.stack([(blitted == y).flatten(1).all(1) for y in eight])
    assert torch.equal(which.sum(0), torch.ones(400, dtype=torch.int64))
    assert (which.double().mean(1) - 1 / 8).abs().max() < 4 * math.sqrt(1 / 8 / 400)


def homogeneous(numbers: list[float]) -> Tensor:
    """ADA's colour matrix "4 4" as its source composes it, of (brightness, contrast, luma, hue, saturation)."""
    b, c, i, angle, s = numbers
    eye = torch.eye(4, dtype=torch.float64)
    v = torch.tensor([1.0, 1.0, 1.0, 0.0], dtype=torch.float64) / math.sqrt(3)
    along = torch.outer(v, v)
    rgb = torch.diag(torch.tensor([1.0, 1.0, 1.0, 0.0], dtype=torch.float64))
    x, y, z = v[:3].tolist()
    cross = torch.zeros(4, 4, dtype=torch.float64)
    cross[:3, :3] = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
    brightness = eye.clone()
    brightness[:3, 3] = b
    contrast = eye + (c - 1) * rgb
    luma = eye - 2 * i * along
    hue = eye + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
    saturation = eye + (s - 1) * (rgb - along)
    return saturation @ hue @ luma @ contrast @ brightness


def test_colours_are_the_source_s_matrix() -> None:
    n = 16
    x = images(n, 3, 2, 2, dtype=torch.float64)
    uniform, normal = (
        torch.rand(7, n, generator=rng(), dtype=torch.float64),
        torch.randn(3, n, generator=rng(1)).double(),
    )
    found = _recoloured(x, iter(uniform), iter(normal), 1.0, 0.0, 1.0)
    for k in range(n):
        b, c, s = normal[:, k].tolist()
        luma, hue = math.floor(2 * uniform[3, k]), (2 * float(uniform[5, k]) - 1) * math.pi
        C = homogeneous([0.2 * b, 2 ** (0.5 * c), luma, hue, 2**s])
        pixels = torch.cat([x[k].flatten(1), torch.ones(1, 4, dtype=torch.float64)])
        torch.testing.assert_close(found[k].flatten(1), (C @ pixels)[:3])


@pytest.mark.parametrize("channels", [1, 3])
def test_every_number_of_the_pipeline_is_used(channels: int) -> None:
    """Its groups take their own numbers whether or not the others are on."""
    x, pipeline = images(3, channels, 8, 8, dtype=torch.float64), Pipeline()
    noise = pipeline.noise(3, rng(5)).double()
    geometric = Pipeline(colour=False)(x, noise, 0.9)
    torch.testing.assert_close(Pipeline(blitting=False, geometry=False)(geometric, noise, 0.9), pipeline(x, noise, 0.9))
    deciding = noise.clone()
    for column in range(pipeline.numbers):
        deciding[:, column] = 1 - noise[:, column] if column < pipeline.uniforms else -noise[:, column]
        changed = any(
            not torch.equal(pipeline(x, deciding, p), pipeline(x, noise, p)) for p in (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
        )
        hue = column in (pipeline.uniforms - 3, pipeline.uniforms - 2, pipeline.uniforms - 1, pipeline.numbers - 1)
        assert changed or (channels == 1 and hue), column
        deciding[:, column] = noise[:, column]


def kernel(augmentation: Augmentation, p: float, n: int = 10_000) -> Tensor:
    """P(T moves a lit pixel of a 2x2 image from i to j), "4 4"."""
    rows = []
    for i in range(4):
        x = torch.zeros(n, 1, 4)
        x[:, 0, i] = 1.0
        moved = augmentation(x.reshape(n, 1, 2, 2), augmentation.noise(n, rng(i)), p)
        rows.append(moved.reshape(n, 4).mean(0))
    return torch.stack(rows).double()


def test_below_probability_1_it_does_not_leak() -> None:
    """A generator of four images that matches the transformed data by gradient descent has matched the data.

    At probability 1 it has not: all sets of rotations are then the same to the critic. The set has one image.
    """
    data = torch.tensor([0.6, 0.2, 0.15, 0.05], dtype=torch.float64)
    pipeline = Pipeline(geometry=False, colour=False)
    for p, leaks in ((0.3, False), (0.6, False), (1.0, True)):
        K = kernel(pipeline, p)
        expected = (1 - p) + p / 4  # of the turns alone, of a pixel that stays; the mirror image follows
        assert K[0, 0] == pytest.approx(expected * (1 - p / 2) + p / 2 * p / 4, abs=0.02)
        logits = torch.zeros(4, dtype=torch.float64, requires_grad=True)
        for _ in range(500):
            loss = (((logits.softmax(0) - data) @ K) ** 2).sum()
            (gradient,) = torch.autograd.grad(loss, logits)
            logits.data -= 20 * gradient
        distance = float((logits.detach().softmax(0) - data).abs().max())
        assert (distance > 0.25) is leaks
        assert leaks or distance < 0.02


def test_r_is_1_for_separated_logits_and_0_for_equal_sides() -> None:
    high, low = torch.tensor([0.5, 2.0, 9.0, 0.1]), torch.tensor([-0.5, -2.0, -9.0, -0.1])
    for boundary in (0.0, None):
        assert overfitting(high, low, boundary) == 1
        assert overfitting(low, high, boundary) == -1
    assert overfitting(torch.cat([high, low]), torch.cat([high, low]), 0.0) == 0
    assert overfitting(high, low, 0.5) == 0.25  # least squares: 0.1 is on the generated side, 0.5 on neither
    assert overfitting(high + 100, low + 100, None) == 1  # only differences count
    assert overfitting(high, high, None) == 0


def moved(r: float, moves: int, n: int = 64, **settings: Any) -> list[float]:
    """p after each of the critic's moves."""
    adaptation, p = Adaptation(Adaptive(**settings)), []
    for _ in range(moves):
        adaptation.update(torch.tensor(r), torch.tensor(float(n)))
        p.append(float(adaptation.p))
    return p


def test_p_rises_when_the_critic_overfits_and_falls_when_it_does_not() -> None:
    step = 4 * 64 / 500_000
    assert moved(0.9, 9) == pytest.approx([0, 0, 0, step, step, step, step, 2 * step, 2 * step])
    assert moved(0.5, 8, initial=0.5) == pytest.approx([0.5] * 3 + [0.5 - step] * 4 + [0.5 - 2 * step])
    assert moved(0.6, 8, initial=0.5, target=float(torch.tensor(0.6))) == [0.5] * 8


def test_p_goes_from_0_to_1_in_its_images_and_stays_there() -> None:
    p = moved(1.0, 120, images=64 * 100)
    assert p[98] < 1 - 1e-3
    assert p[99] == pytest.approx(1.0)
    assert p[-1] == 1.0
    assert moved(-1.0, 8) == [0.0] * 8
    assert moved(1.0, 8, images=None, initial=0.25) == [0.25] * 8


def test_r_is_the_mean_over_the_interval() -> None:
    """Three of four moves over the target are not enough if the mean is under it."""
    adaptation = Adaptation(Adaptive(initial=0.5, images=6_400))
    for r in (0.7, 0.7, 0.7, -1.0):
        adaptation.update(torch.tensor(r), torch.tensor(64.0))
    assert adaptation.p < 0.5
    assert adaptation.signs == adaptation.moves == adaptation.images == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Translation(share=0.6), "share of Translation: expected a number over 0 and at most 0.5, got 0.6"),
        (lambda: part(Translation, border="black"), "expected 'reflect' or 'centre', got 'black'"),
        (lambda: Colour(strength=0.0), "strength of Colour"),
        (lambda: Cutout(share=-1.0), "share of Cutout"),
        (lambda: part(DiffAugment, policy=("color",)), "expected .*'colour', 'translation', 'cutout'.*, got"),
        (lambda: DiffAugment(policy=()), "one or more of"),
        (lambda: Pipeline(blitting=False, geometry=False, colour=False), "got none of them"),
        (lambda: Pipeline(range=(1.0, -1.0)), "expected \\(least, greatest\\)"),
        (lambda: Adaptive(target=1.0), "between -1 and 1"),
        (lambda: Adaptive(interval=0), "1 move or more"),
        (lambda: Adaptive(images=0), "1 or more, or null"),
        (lambda: Adaptive(initial=1.5), "from 0 to 1, got 1.5"),
        (lambda: Adaptive().check((2,), None, "game.augmentation"), "got samples of shape \\(2,\\); leave game.aug"),
        (lambda: Pipeline().check((2, 8, 8), (-1.0, 1.0), "augment.0"), "1 or 3 channels, got 2; set augment.0.colour"),
        (lambda: Colour().check((3, 8, 8), (0.0, 1.0), "augment.0"), "the data's range \\(0.0, 1.0\\), got"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(make: Any, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make()
