"""A training imports neither torch._dynamo nor Fabric, and its optimisers step as torch's own do."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path

import torch

import agon
from tests.training.programs import points

agon.train(points(2), Path(sys.argv[1]), compute=agon.Compute(device="cpu"), alarms=None, show=False)
heavy = [name for name in ("torch._dynamo", "lightning_fabric", "sympy", "matplotlib") if name in sys.modules]
assert heavy == [], heavy

OPTIMISERS = ("Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "NAdam", "RAdam", "Adamax", "Rprop", "ASGD", "Adadelta")


def stepped(name, **settings):
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    optimiser = getattr(torch.optim, name)(layer.parameters(), lr=0.1, **settings)
    called = []
    optimiser.register_step_post_hook(lambda *_: called.append(torch.is_grad_enabled()))
    for _ in range(3):
        optimiser.zero_grad()
        layer(torch.ones(4, 3)).square().sum().backward()
        optimiser.step()
    assert called == [True] * 3, "a hook runs outside of the step, where derivatives are recorded"
    optimiser.load_state_dict(optimiser.state_dict())
    return torch.cat([value.detach().flatten() for value in layer.parameters()])


def all_stepped():
    return {name: stepped(name) for name in OPTIMISERS}


before = all_stepped()
assert "torch._dynamo" not in sys.modules
import torch._dynamo

after = all_stepped()
assert all(torch.equal(before[name], after[name]) for name in OPTIMISERS)
assert not torch.equal(before["Adam"], before["AdamW"]), "the negative control"
agon.train(points(2), Path(sys.argv[2]), compute=agon.Compute(device="cpu"), alarms=None, show=False)
print("the same")
"""


def test_a_training_imports_no_compiler_and_steps_alike(tmp_path: Path) -> None:
    run = [sys.executable, "-c", PROGRAM, str(tmp_path / "one"), str(tmp_path / "two")]
    told = subprocess.run(run, capture_output=True, text=True, check=False)
    assert told.stdout == "the same\n", told.stderr
    weights = [
        sorted((tmp_path / name / "checkpoints").rglob("*.safetensors"))[-1].read_bytes() for name in ("one", "two")
    ]
    assert weights[0] == weights[1]
