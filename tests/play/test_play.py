"""The page to play with: its functions, and what its server answers."""

import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from PIL import Image

import agon
from agon.cli import main
from agon.errors import SettingError
from agon.play.directions import principal
from agon.play.drawing import STEPS, drawn, moved, walked
from agon.play.guessing import Round, Tally, play_round, real_of
from agon.play.nearest import as_target, nearest
from agon.play.pictures import as_samples, check_shown, picture
from agon.play.ports import HOST, check_port
from agon.runs.named import local
from agon.samples import interpolate
from agon.samples.moving import write_walk


@pytest.fixture(scope="module")
def digits() -> agon.Model:
    return agon.load(local(Path("pretrained:digits")))


@pytest.fixture(scope="module")
def ring() -> agon.Model:
    return agon.load(local(Path("pretrained:ring")))


def test_directions_of_a_linear_generator_are_its_axes() -> None:
    """G(z) = A z with orthogonal columns of lengths 3, 2, 1: the directions are the axes, in that order."""
    rng = torch.Generator().manual_seed(0)
    q, _ = torch.linalg.qr(torch.randn(8, 3, generator=rng, dtype=torch.float64))
    z = torch.randn(4000, 3, generator=rng, dtype=torch.float64)
    found = principal(z, z @ (q * torch.tensor([1.0, 3.0, 2.0])).T, 3)
    axes = found.latents.abs()
    assert axes.argmax(1).tolist() == [1, 2, 0]
    torch.testing.assert_close(axes.sort(1).values[:, 2], torch.ones(3, dtype=torch.float64), atol=0.05, rtol=0)
    torch.testing.assert_close(found.shares, torch.tensor([9, 4, 1]) / 14, atol=0.03, rtol=0)


def test_more_directions_than_latents_are_refused() -> None:
    with pytest.raises(SettingError, match="expected 1 to 3 of 4 latents, got 4"):
        principal(torch.randn(4, 2), torch.randn(4, 9), 4)


def test_a_walk_begins_and_ends_at_samples(digits: agon.Model) -> None:
    ends = drawn(digits, 4, seed=3)
    torch.testing.assert_close(walked(digits, 2, 0, seed=3), ends[[0, 2]], atol=1e-4, rtol=0)
    torch.testing.assert_close(walked(digits, 2, STEPS - 1, seed=3), ends[[1, 3]], atol=1e-4, rtol=0)


def test_sliders_at_zero_change_nothing(digits: agon.Model) -> None:
    directions = torch.ones(2, *digits.game.latent_shape)
    samples = drawn(digits, 3, seed=1)
    torch.testing.assert_close(moved(digits, directions, [0.0, 0.0], 3, seed=1), samples)
    assert not torch.allclose(moved(digits, directions, [0.0, 1.0], 3, seed=1), samples)


def test_an_image_of_the_run_is_found_again(digits: agon.Model) -> None:
    """A generated sample is reconstructed far better than the mean square of its distance to another one."""
    samples = drawn(digits, 2, seed=5).cpu()
    pixels = ((samples[0] + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    image = pixels.permute(1, 2, 0).numpy().repeat(3, 2)
    torch.testing.assert_close(as_target(digits, image)[0], samples[0], atol=0.01, rtol=0)
    pair, error = nearest(digits, image)
    assert pair.shape == (2, *samples.shape[1:])
    assert error < 0.2 * float((samples[0] - samples[1]).square().mean())


def test_the_critic_chooses_what_it_finds_more_real(digits: agon.Model) -> None:
    real, why = real_of(digits)
    assert real is not None
    assert not why
    rounds = [play_round(digits, real, number) for number in range(12)]
    assert {played.real for played in rounds} == {0, 1}
    for played in rounds:
        assert played.critic == int(digits.realness(played.pair).argmax())
        assert (played.pair[played.real] == real).flatten(1).all(1).any()


def test_the_game_counts_both() -> None:
    pair = torch.zeros(2, 1)
    tally = Tally().after(Round(pair, real=0, critic=0), guess=1).after(Round(pair, real=1, critic=0), guess=1)
    assert str(tally) == "You 1, critic 1, of 2"


def test_bytes_become_the_whole_range(digits: agon.Model) -> None:
    edges = as_samples(digits, torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1))
    assert edges.flatten().tolist() == list(digits.experiment.data.range or ())


def test_pictures_are_large_enough(digits: agon.Model, ring: agon.Model) -> None:
    for model in (digits, ring):
        drawing = picture(model, drawn(model, 16, seed=0))
        assert max(drawing.shape[:2]) >= 512
        assert np.ptp(drawing) > 100


def test_other_samples_are_refused(digits: agon.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    series = SimpleNamespace(data=SimpleNamespace(shape=(24, 3)))
    monkeypatch.setattr(digits, "latents", lambda n: None)
    monkeypatch.setattr(digits, "experiment", series)
    with pytest.raises(SettingError, match=r"samples of shape \(24, 3\)"):
        check_shown(digits)


def test_a_run_that_cannot_be_shown_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address is told when the page answers; without any run that can be shown, it is refused."""
    told = list[tuple[str, str]]()

    def serve(models: dict[str, agon.Model], port: int, *, browser: bool, wait: bool) -> SimpleNamespace:
        assert (list(models), browser, wait) == (["ring"], False, False)
        told.append(capsys.readouterr())
        return SimpleNamespace(local_url=f"http://127.0.0.1:{port}/", block_thread=lambda: None)

    monkeypatch.setattr("agon.play.page.serve", serve)
    np.save(tmp_path / "three.npy", np.random.default_rng(0).normal(size=(400, 3)))
    data, small = ["--data", str(tmp_path / "three.npy")], ["--scale", "smoke", "--steps", "2", "--threads", "1"]
    assert main(["train", "first/ring", *data, *small, "--out", str(tmp_path / "three")]) == 0
    capsys.readouterr()
    assert main(["play", str(tmp_path / "three"), "pretrained:ring", "--no-browser"]) == 0
    ((out, err),) = told
    assert out == ""
    assert f"got samples of shape (3,) in {tmp_path / 'three'}" in err
    assert capsys.readouterr().out == "http://127.0.0.1:7860 (Ctrl-C ends it)\n"
    assert main(["play", str(tmp_path / "three"), "--no-browser"]) == 2
    assert "expected a run of images or of points of a plane" in capsys.readouterr().err


def test_a_port_that_is_taken_is_refused_before_anything_is_loaded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agon.models.load", None)
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        taken = server.getsockname()[1]
        assert main(["play", "pretrained:digits", "--port", str(taken)]) == 2
    told = capsys.readouterr().err
    assert f"--port: {taken} cannot be used (address already in use); try --port" in told
    check_port(int(told.split()[-1]))
    check_port(taken)  # the negative control: it is free again
    with pytest.raises(SettingError, match="expected 1 to 65535, got 0"):
        check_port(0)


def test_the_server_answers_this_computer_alone(tmp_path: Path) -> None:
    """The page has the tabs, its theme fetches no font, and it listens on the loopback address.

    Where there is a Chromium, it draws the tabs and the first picture.
    """
    script = """
import shutil, subprocess, sys, urllib.request
from pathlib import Path
import agon
from agon.play.page import serve
from agon.runs.named import local
models = {name: agon.load(local(Path(f"pretrained:{name}"))) for name in ("digits", "ring")}
blocks = serve(models, browser=False, wait=False)
page = urllib.request.urlopen(blocks.local_url).read().decode()
assert "Real or generated?" in page and "Along the path" in page
assert "fonts.googleapis" not in page and "cdnjs" not in page
assert blocks.local_url.startswith("http://127.0.0.1:"), blocks.local_url
assert blocks.share_url is None and not blocks.analytics_enabled
if chromium := shutil.which("chromium"):
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={sys.argv[1]}"]
    options += ["--virtual-time-budget=8000", "--dump-dom", blocks.local_url]
    dom = subprocess.run([chromium, *options], capture_output=True, text=True, timeout=90).stdout
    assert 'role="tab"' in dom and "<img" in dom and "gradio_api/file" in dom, dom[-2000:]
blocks.close()
"""
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr


def test_a_walk_as_a_gif_and_as_an_mp4(digits: agon.Model, tmp_path: Path) -> None:
    samples = interpolate(digits, 4, 5)
    source = digits.experiment.data
    with Image.open(write_walk(samples, source, 5, tmp_path / "walk.gif")) as animation:
        assert (animation.n_frames, animation.size[0] >= 320) == (5, True)  # type: ignore[attr-defined]
    film = write_walk(samples, source, 5, tmp_path / "walk.mp4")
    with av.open(str(film)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5


def test_a_training_is_shown_by_the_images_it_kept(digits: agon.Model, tmp_path: Path) -> None:
    out = tmp_path / "training.gif"
    assert main(["sample", str(digits.run.path), "--training", "--out", str(out)]) == 0
    with Image.open(out) as animation:
        assert animation.n_frames == len(digits.run.snapshots())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", "x.gif"], "expected --interpolate STEPS or --training for a moving picture"),
        (
            ["--training", "--out", "x.gif", "--class", "3", "--step", "2"],
            "expected no --class and no --step beside it",
        ),
        (["--training", "--out", "x.png"], "expected NAME.gif or NAME.mp4 with --training"),
    ],
)
def test_other_moving_pictures_are_refused(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "pretrained:digits", *options]) == 2
    assert said in capsys.readouterr().err


def test_points_have_no_gif(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "pretrained:ring", "--interpolate", "4", "--out", str(tmp_path / "x.gif")]) == 2
    assert "these are no images" in capsys.readouterr().err
