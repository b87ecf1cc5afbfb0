"""Every network in every format computes what the run computes, for any number of inputs."""

import errno
import json
import resource
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

from agon import part
from agon.errors import AgonError, RunError, SettingError
from agon.exports.checking import READERS, check
from agon.exports.exporting import python_file, write
from agon.exports.formats import FORMATS, Format, NotExportableError, refused
from agon.exports.network import network_of
from agon.games import Adversarial
from agon.networks import NETWORKS, dcgan, gran
from tests.exports.conftest import CRITICS, GENERATORS, exported, training, training_of

SHAPES = {
    "dcgan.generator": (3, 96, 96),
    "gran.generator": (1, 28, 28),
    "vae": (3, 8, 8),
    "resnext.critic": (1, 28, 20),
}
SMALL = (1, 8, 8)


GRAPHS = [to for to in FORMATS if to != "safetensors"]


@pytest.mark.parametrize(("number", "name"), list(enumerate([*GENERATORS, *CRITICS])))
def test_every_network_in_a_format(number: int, name: str, tmp_path: Path) -> None:
    """By turns: `make evidence` has every network in every format, at several sizes."""
    network, to = exported(name, SHAPES.get(name, SMALL)), GRAPHS[number % len(GRAPHS)]
    for kind in ("safetensors", to):
        file = write(network, tmp_path / f"network{FORMATS[kind]}", kind)
        assert file.difference < 1e-5
        assert description(file.path, kind) == network.description


@pytest.mark.evidence
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 20), (3, 32, 32), (3, 96, 96)], ids=str)
@pytest.mark.parametrize("name", [*GENERATORS, *CRITICS])
def test_every_network_at_every_size(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    network = exported(name, shape)
    assert all(write(network, tmp_path / f"x{ending}", to).difference < 1e-5 for to, ending in FORMATS.items())


def description(path: Path, to: Format) -> object:
    """The metadata of a file, as its own library reads them."""
    if to == "safetensors":
        with safe_open(path, "pt") as file:
            return json.loads(file.metadata()["agon"])
    if to == "onnx":
        return json.loads(onnxruntime.InferenceSession(path.read_bytes()).get_modelmeta().custom_metadata_map["agon"])
    extra = {"agon.json": ""}
    if to == "torchscript":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its end
            torch.jit.load(str(path), _extra_files=extra)  # type: ignore[no-untyped-call]
    else:
        torch.export.load(path, extra_files=extra)
    return json.loads(extra["agon.json"])


def test_every_network_that_can_be_exported_is_tried() -> None:
    inner = {"classifier", "residual-classifier"}  # below
    inner |= {"class-normalised", "class-concatenated", "projection"}  # they take labels, and are refused in a sentence
    parts = {n for n in NETWORKS if n.split(".")[-1] in ("encoder", "decoder", "mirror", "autoregressor", "patch")}
    assert {*GENERATORS, *CRITICS} == NETWORKS.keys() - inner - parts


def test_weights_have_the_names_of_the_networks_class(tmp_path: Path) -> None:
    """So they load into the class itself; and a spectrally normalised weight is one weight."""
    settings = {"shape": SMALL, "width": 4, "smallest": 2}
    game = part(
        Adversarial,
        generator=part(dcgan.Generator, latent=3, **settings),
        critic=part(dcgan.Critic, spectral=True, **settings),
    )
    begun = training_of(game, SMALL)
    for player, network in (("generator", begun.game.generator), ("critic", dcgan.Critic(**settings))):  # type: ignore[arg-type]
        file = write(network_of(begun, player, 5), tmp_path / f"{player}.safetensors", "safetensors")
        with safe_open(file.path, "pt") as tensors:
            names = set(tensors.keys())
        assert names == {n for n in network.state_dict() if not n.endswith("num_batches_tracked")}


@pytest.mark.parametrize(("noise", "tied"), [("once", True), ("every", False)])
def test_a_recurrent_generator_with_shared_weights_or_noise_at_each_step(
    noise: str, tied: bool, tmp_path: Path
) -> None:
    generator = part(gran.Generator, shape=SMALL, latent=3, steps=3, kernels=(4, 4), hidden=5, noise=noise, tied=tied)
    begun = training_of(part(Adversarial, generator=generator, critic=part(dcgan.Critic, shape=SMALL, width=4)), SMALL)
    network = network_of(begun, "generator", 5)
    assert network.description["input"]["shape"] == (["n", 3] if noise == "once" else ["n", 3, 3])
    assert all(write(network, tmp_path / f"x{ending}", to).difference < 1e-5 for to, ending in FORMATS.items())


class Counted(nn.Module):
    """A generator that fixes its number of samples, or asks for a number's sign."""

    latent_shape = (3,)

    def __init__(self, branch: bool) -> None:
        super().__init__()
        self.branch, self.layer = branch, nn.Linear(3, 64)

    def forward(self, latent: Tensor) -> Tensor:
        x: Tensor = self.layer(latent)
        if self.branch:
            return (x if x.sum() > 0 else -x).reshape(-1, *SMALL)
        return x.reshape(len(latent), *SMALL)


@pytest.mark.parametrize("branch", [False, True])
def test_what_a_format_cannot_take_is_refused_in_a_sentence(branch: bool, tmp_path: Path) -> None:
    """The negative control: with a constant number of samples, and with an `if` on numbers."""
    game = part(Adversarial, generator=part(Counted, branch=branch), critic=part(dcgan.Critic, shape=SMALL, width=4))
    network = network_of(training_of(game, SMALL), "generator", 5)
    for to in ("safetensors", "onnx", "torch-export"):
        with pytest.raises(SettingError, match=r"cannot take this network .*; use x\.shape\[0\] in place of len\(x\)"):
            write(network, tmp_path / "x.file", to)  # type: ignore[arg-type]
    if not branch:
        with pytest.raises(SettingError, match=r"^torchscript"):
            write(network, tmp_path / "x.file", "torchscript")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", FORMATS)
def test_a_full_disk_is_a_sentence(to: Format, tmp_path: Path) -> None:
    """The kernel refuses larger files, as a full disk does; torch's own writer of TorchScript ends the process then."""
    network, (soft, hard) = exported("mlp.generator", SMALL), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        with pytest.raises(RunError, match=r"cannot be written \(File too large\); free some .* TMPDIR"):
            write(network, tmp_path / "x.file", to)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ValueError("an operation has no counterpart"), NotExportableError),
        (OSError(errno.ENOSPC, "No space left on device"), RunError),
        (MemoryError("a tensor"), SettingError),
    ],
)
def test_what_the_system_refuses_is_no_refusal_of_the_format(error: Exception, raised: type[AgonError]) -> None:
    with pytest.raises(AgonError) as told, refused("onnx"):
        raise error
    assert type(told.value) is raised


@pytest.mark.parametrize("to", FORMATS)
def test_another_network_is_caught(to: Format, tmp_path: Path) -> None:
    """The negative control of the check: the file of one network beside another run of the same shape."""
    path = write(exported("mlp.generator", SMALL), tmp_path / f"x{FORMATS[to]}", to).path
    other = network_of(training("mlp.generator", SMALL, seed=1), "generator", 5)
    with pytest.raises(SettingError, match=r"computes other samples than the run \(differences of 0\.\d+"):
        check(other, path, to)


def test_files_take_gradients_and_other_devices_types(tmp_path: Path) -> None:
    """The Python file is an ordinary module: it can be trained further, and converted."""
    network = exported("draw", SMALL)
    path = write(network, tmp_path / "x.safetensors", "safetensors").path
    module = READERS["safetensors"](path)
    assert isinstance(module, nn.Module)
    module.double()(network.inputs.double()).sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_nothing_of_a_description_is_code(tmp_path: Path) -> None:
    """Texts of a stranger's experiment.json stand in the Python file as texts."""
    begun = training("mlp.generator", SMALL)
    network = network_of(begun, "generator", 5)
    network.description["recipe"] = '"""\nopen("mark", "w")\n"""\'\\'
    path = write(network, tmp_path / "x-1.safetensors", "safetensors").path
    space: dict[str, object] = {}
    exec(python_file(path).read_text(), space)
    assert space["DESCRIPTION"] == network.description
    assert python_file(path).name == "x_1.py"
    assert not Path("mark").exists()


@pytest.mark.parametrize(("player", "takes"), [("generator", "generated_classes"), ("critic", "judged_classes")])
def test_a_network_that_takes_classes_is_refused(player: str, takes: str) -> None:
    begun = training("mlp.generator", SMALL)
    begun.game.__class__ = type("Conditional", (Adversarial,), {takes: 10})
    with pytest.raises(NotExportableError, match=f"player '{player}': expected a network with one input"):
        network_of(begun, player, 5)


def test_the_critics_inputs_are_samples_of_the_run() -> None:
    network = exported("mlp.critic", SMALL)
    low, high = float(network.inputs.min()), float(network.inputs.max())
    assert network.description["input"]["range"] == [0.0, 1.0]
    assert 0 <= low < high <= 1
    assert np.isfinite(network.outputs().numpy()).all()
