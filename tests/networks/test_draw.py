"""DRAW is its paper's equations, transcribed pixel by pixel; its filters are weights that sum to 1."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from agon.errors import SettingError
from agon.games import Batch, Variational
from agon.networks.attention import Attention, Filters, filterbank
from agon.networks.draw import Draw

WINDOWS = [(2, 3), (None, None), (2, None), (None, 3)]
SHAPES = [(1, 6, 6), (2, 5, 7), (3, 8, 4)]


def small(shape: tuple[int, int, int] = (2, 5, 7), read: int | None = 2, write: int | None = 3, **more: Any) -> Draw:
    """A DRAW in float64 whose learned beginnings are not zero."""
    torch.manual_seed(0)
    settings = {"glimpses": 3, "latent": 4, "hidden": 6, **more}
    draw = Draw(shape=shape, read=read, write=write, **settings).double()
    for start in (draw.canvas, draw.encoder.start, draw.decoder.start):
        torch.nn.init.normal_(start)
    return draw


def filters(aim: torch.nn.Linear, h: Tensor, size: int, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """F_Y, F_X and γ of one image by loops. Equations 19-26, where A is the width and B the height."""
    gx, gy, log_var, log_delta, log_gamma = aim.weight @ h + aim.bias
    gx, gy = (width + 1) / 2 * (gx + 1), (height + 1) / 2 * (gy + 1)
    delta = (max(width, height) - 1) / (size - 1) * torch.exp(log_delta)
    f_y, f_x = torch.zeros(size, height, dtype=h.dtype), torch.zeros(size, width, dtype=h.dtype)
    for f, g, side in ((f_y, gy, height), (f_x, gx, width)):
        for i in range(1, size + 1):
            mu = g + (i - size / 2 - 0.5) * delta
            for a in range(1, side + 1):
                f[i - 1, a - 1] = torch.exp(-((a - mu) ** 2) / (2 * torch.exp(log_var)))
            f[i - 1] = f[i - 1] / f[i - 1].sum()
    return f_y, f_x, torch.exp(log_gamma)


def lstm(cell: Any, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    a = cell.gates.weight @ torch.cat((x, h)) + cell.gates.bias
    k = len(h)
    c = torch.sigmoid(a[k : 2 * k]) * c + torch.sigmoid(a[:k]) * torch.tanh(a[3 * k :])
    return torch.sigmoid(a[2 * k : 3 * k]) * torch.tanh(c), c


def transcribed(draw: Draw, x: Tensor | None, noise: Tensor, read: int | None, write: int | None) -> list[Any]:
    """One image: the canvases c_1..c_T, and the sum of the divergences; x is None where `noise` is z itself."""
    channels, height, width = draw.shape
    canvas, divergence, canvases = draw.canvas, 0.0, []
    (h_enc, c_enc), (h_dec, c_dec) = draw.encoder.start, draw.decoder.start
    for epsilon in noise:
        z = epsilon
        if x is not None:
            images = [x, x - torch.sigmoid(canvas)]
            if read is None:
                r = torch.cat([image.flatten() for image in images])
            else:
                f_y, f_x, gamma = filters(draw.reader.attention.aim, h_dec, read, height, width)
                r = torch.cat(
                    [(gamma * (f_y @ image[c] @ f_x.T)).flatten() for image in images for c in range(channels)]
                )
            h_enc, c_enc = lstm(draw.encoder, torch.cat((r, h_dec)), h_enc, c_enc)
            q = draw.posterior.weight @ h_enc + draw.posterior.bias
            mu, sigma = q[: len(epsilon)], torch.exp(q[len(epsilon) :])
            divergence = divergence + 0.5 * (mu**2 + sigma**2 - torch.log(sigma**2)).sum() - len(mu) / 2
            z = mu + sigma * epsilon
        h_dec, c_dec = lstm(draw.decoder, z, h_dec, c_dec)
        if write is None:
            stroke = (draw.writer.paint.weight @ h_dec + draw.writer.paint.bias).reshape(draw.shape)
        else:
            paint = draw.writer.patch.paint
            w = (paint.weight @ h_dec + paint.bias).reshape(channels, write, write)
            f_y, f_x, gamma = filters(draw.writer.attention.aim, h_dec, write, height, width)
            stroke = torch.stack([f_y.T @ w[c] @ f_x / gamma for c in range(channels)])
        canvas = canvas + stroke
        canvases.append(canvas)
    return [canvases, divergence]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("read", "write"), WINDOWS)
def test_draw_is_its_equations(shape: tuple[int, int, int], read: int | None, write: int | None) -> None:
    draw = small(shape, read, write)
    x, noise = torch.rand(2, *shape, dtype=torch.float64), torch.randn(2, 3, 4, dtype=torch.float64)
    made = draw.reconstruct(x, noise)
    generated = draw.canvases(noise)
    for n in range(2):
        canvases, divergence = transcribed(draw, x[n], noise[n], read, write)
        torch.testing.assert_close(made.logits[n], canvases[-1], rtol=1e-11, atol=1e-12)
        torch.testing.assert_close(made.divergence[n], divergence, rtol=1e-11, atol=1e-12)
        canvases, _ = transcribed(draw, None, noise[n], read, write)
        torch.testing.assert_close(generated[:, n], torch.stack(canvases).sigmoid(), rtol=1e-11, atol=1e-12)
    assert torch.equal(draw(noise), generated[-1])
    blind = copy.deepcopy(draw)
    blind.encoder.start.data += 0.1  # negative control: the transcription would notice
    assert (blind.reconstruct(x, noise).logits - made.logits).abs().max() > 1e-6


@pytest.mark.parametrize("centre", [4.5, -200.0, 1e4])
def test_every_filter_sums_to_1_however_far_outside(centre: float) -> None:
    g, delta, log_variance = torch.tensor([[centre], [1.5], [-2.0]])
    bank = filterbank(g, delta, log_variance, size=5, side=8)
    torch.testing.assert_close(bank.sum(2), torch.ones(1, 5))
    assert torch.isfinite(bank).all()


def identity(side: int, log_variance: float) -> Filters:
    attention = Attention(hidden=1, shape=(1, side, side), size=side)
    torch.nn.init.zeros_(attention.aim.weight)
    attention.aim.bias.data = torch.tensor([0.0, 0.0, log_variance, 0.0, 0.0])
    return attention(torch.zeros(1, 1))


@pytest.mark.parametrize("side", [4, 7])
def test_a_narrow_filter_on_every_pixel_reads_and_writes_the_image(side: int) -> None:
    """As many filters as pixels, stride 1, in the middle."""
    torch.manual_seed(0)
    x = torch.rand(1, 2, side, side)
    torch.testing.assert_close(identity(side, -6.0).read(x), x)
    torch.testing.assert_close(identity(side, -6.0).write(x), x)
    assert (identity(side, 0.0).read(x) - x).abs().max() > 0.1  # wide filters blur


def test_x_and_y_are_not_swapped() -> None:
    """A grid moved to the right by one pixel reads the image one pixel further right."""
    torch.manual_seed(0)
    attention = Attention(hidden=1, shape=(1, 6, 6), size=6)
    torch.nn.init.zeros_(attention.aim.weight)
    attention.aim.bias.data = torch.tensor([2 / 7, 0.0, -6.0, 0.0, 0.0])  # (A + 1)/2 · 2/7 = 1
    x = torch.rand(1, 1, 6, 6)
    torch.testing.assert_close(attention(torch.zeros(1, 1)).read(x)[..., :5], x[..., 1:])


def test_what_is_written_is_divided_by_the_intensity_that_reading_multiplies_by() -> None:
    torch.manual_seed(0)
    rows, columns, x = torch.rand(1, 2, 6), torch.rand(1, 2, 6), torch.rand(1, 1, 6, 6)
    one, three = Filters(rows, columns, torch.ones(1)), Filters(rows, columns, torch.full((1,), 3.0))
    torch.testing.assert_close(three.read(x), 3 * one.read(x))
    torch.testing.assert_close(three.write(x[..., :2, :2]), one.write(x[..., :2, :2]) / 3)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 33, 5)], ids=str)
@pytest.mark.parametrize(("read", "write"), WINDOWS)
def test_every_parameter_gets_a_gradient(shape: tuple[int, int, int], read: int | None, write: int | None) -> None:
    game = Variational(autoencoder=small(shape, read, write).float())
    x = torch.rand(4, *shape)
    batch = Batch(x, x, game.noise(x.shape, torch.Generator().manual_seed(0)))
    game.losses(batch, of=("autoencoder",)).players["autoencoder"].backward()
    for name, parameter in game.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


def test_it_has_second_derivatives() -> None:
    """As a look-ahead needs them."""
    draw = small()
    x, noise = torch.rand(2, *draw.shape, dtype=torch.float64), torch.randn(2, 3, 4, dtype=torch.float64)
    loss = draw.reconstruct(x, noise).logits.sum()
    (gradient,) = torch.autograd.grad(loss, draw.encoder.gates.weight, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), draw.decoder.gates.weight)
    assert second.any()


def test_a_window_of_one_filter_has_no_stride() -> None:
    with pytest.raises(SettingError, match="attention window: expected at least 2"):
        Draw(shape=(1, 8, 8), read=1)
    with pytest.raises(SettingError, match="glimpses: expected a number over 0"):
        Draw(shape=(1, 8, 8), glimpses=0)
