"""Critics that reach their layers by other ways than registered submodules: unrolled exactly, or refused by name."""

import copy
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import linear, softplus
from torch.nn.utils import parametrizations, parametrize
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

from agon import Adversarial, Extragradient, Turns, Unrolled, check_unrolling, unrolled_loss
from agon.dynamics import Dynamics
from agon.dynamics.unrolled import CompiledUnrolled
from agon.errors import SettingError
from agon.games import Batch, parameters_of

STEPS = 3
SHAPES = {"a.weight": (16, 2), "a.bias": (16,), "b.weight": (1, 16), "b.bias": (1,)}


class Plain(nn.Module):
    """y = B tanh(A x + a) + b, in float64: what all others compute too."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(2, 16).double(), nn.Linear(16, 1).double()
        self.prepare()

    def prepare(self) -> None:
        """What else is kept."""

    def core(self, x: Tensor) -> Tensor:
        return self.b(torch.tanh(self.a(x))).flatten()

    def forward(self, x: Tensor) -> Tensor:
        return self.core(x)


class InList(Plain):
    def prepare(self) -> None:
        self.layers = [self.a, [nn.Tanh(), (self.b,)]]

    def forward(self, x: Tensor) -> Tensor:
        first, (bent, (last,)) = self.layers
        return last(bent(first(x))).flatten()


class InDict(Plain):
    def prepare(self) -> None:
        self.layers = {"first": self.a, "last": {"there": self.b}}

    def forward(self, x: Tensor) -> Tensor:
        return self.layers["last"]["there"](torch.tanh(self.layers["first"](x))).flatten()


class BoundMethod(Plain):
    def prepare(self) -> None:
        self.play = self.core

    def forward(self, x: Tensor) -> Tensor:
        return self.play(x)


class Partial(Plain):
    def prepare(self) -> None:
        self.play = partial(self.both, self.a, last=self.b)

    @staticmethod
    def both(first: nn.Module, x: Tensor, last: nn.Module) -> Tensor:
        return last(torch.tanh(first(x))).flatten()

    def forward(self, x: Tensor) -> Tensor:
        return self.play(x)


class Closure(Plain):
    def prepare(self) -> None:
        self.play = lambda x, last=self.b: last(torch.tanh(self.a(x))).flatten()

    def forward(self, x: Tensor) -> Tensor:
        return self.play(x)


class Hook(Plain):
    """Its first layer is only in a hook, which closes over it."""

    def prepare(self) -> None:
        first = self.a
        self.b.register_forward_pre_hook(lambda module, given: (torch.tanh(first(given[0])),))

    def forward(self, x: Tensor) -> Tensor:
        return self.b(x).flatten()


class WeakReference(Plain):
    def prepare(self) -> None:
        self.first = weakref.ref(self.a)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.tanh(self.first()(x))).flatten()


class Holder:
    """An object of somebody's own class."""

    def __init__(self, owner: nn.Module) -> None:
        self.owner, self.first = owner, owner.a

    def __call__(self, x: Tensor) -> Tensor:
        return self.owner.b(torch.tanh(self.first(x))).flatten()


class InObject(Plain):
    def prepare(self) -> None:
        self.holder = Holder(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.holder(x)


class ParameterList(Plain):
    """The parameters themselves, as nn.LSTM has them beside their names."""

    def prepare(self) -> None:
        self.flat = [self.a.weight, self.a.bias, self.b.weight, self.b.bias]

    def forward(self, x: Tensor) -> Tensor:
        return linear(torch.tanh(linear(x, *self.flat[:2])), *self.flat[2:]).flatten()


class Checkpointed(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return checkpoint(self.core, x, use_reentrant=False)


class CheckpointedSequence(Plain):
    def prepare(self) -> None:
        self.all = [self.a, nn.Tanh(), self.b]

    def forward(self, x: Tensor) -> Tensor:
        return checkpoint_sequential(self.all, 2, x, use_reentrant=False).flatten()


class CompiledMethod(Plain):
    def prepare(self) -> None:
        self.play = torch.compile(self.core, backend="eager")

    def forward(self, x: Tensor) -> Tensor:
        return self.play(x)


class CompiledClass(Plain):
    @torch.compile
    def forward(self, x: Tensor) -> Tensor:
        return self.core(x)


class ReplacedBuffer(Plain):
    def prepare(self) -> None:
        self.register_buffer("calls", torch.zeros((), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        self.calls = self.calls + 0.0
        return self.core(x) + self.calls


def compiled(critic: nn.Module, backend: str) -> nn.Module:
    return torch.compile(critic, backend=backend)  # type: ignore[return-value]


def moved_in_place(critic: nn.Module) -> nn.Module:
    critic.compile(backend="aot_eager")
    return critic


EXACT: dict[str, Callable[[], nn.Module]] = {
    "list": InList,
    "dict": InDict,
    "bound method": BoundMethod,
    "partial": Partial,
    "closure": Closure,
    "hook": Hook,
    "weak reference": WeakReference,
    "object": InObject,
    "parameters in a list": ParameterList,
    "checkpointed": Checkpointed,
    "checkpointed sequence": CheckpointedSequence,
    "compiled method": CompiledMethod,
    "compiled class": CompiledClass,
    "compiled": lambda: compiled(Plain(), "eager"),
    "compiled by aot_eager": lambda: compiled(Plain(), "aot_eager"),
    "compiled list": lambda: compiled(InList(), "eager"),
    "compiled in place": lambda: moved_in_place(Plain()),
    "data parallel": lambda: nn.DataParallel(Plain()),
    "replaced buffer": ReplacedBuffer,
    "deep copy": lambda: copy.deepcopy(InList()),
}


OUTSIDE: dict[str, Any] = {}
SHARED = nn.Linear(2, 16).double()


class GlobalLayer(Plain):
    """A module-level variable holds a layer, which is registered too."""

    def prepare(self) -> None:
        global SHARED
        SHARED = self.a

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.tanh(SHARED(x))).flatten()


class GlobalTable(Plain):
    def prepare(self) -> None:
        OUTSIDE["weight"] = self.a.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.tanh(linear(x, OUTSIDE["weight"], self.a.bias))).flatten()


class Transposed(Plain):
    """A view that was made once, with its history."""

    def prepare(self) -> None:
        self.turned = self.a.weight.t()

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.tanh(x @ self.turned + self.a.bias)).flatten()


class SharedMemory(Plain):
    """The live weight's numbers, without its history."""

    def prepare(self) -> None:
        self.numbers = self.a.weight.data

    def forward(self, x: Tensor) -> Tensor:
        return self.core(x) + linear(x, self.numbers).sum(1)


class SharedBuffer(Plain):
    def prepare(self) -> None:
        self.register_buffer("numbers", self.a.weight.detach().t())

    def forward(self, x: Tensor) -> Tensor:
        return self.core(x) + (x @ self.numbers).sum(1)


class Kept(Plain):
    """A product of the weight is kept from call to call, until the weight has moved."""

    def prepare(self) -> None:
        self.version, self.kept = -1, None

    def forward(self, x: Tensor) -> Tensor:
        if self.version != self.a.weight._version:
            self.version, self.kept = self.a.weight._version, self.a.weight * 1.0
        return self.b(torch.tanh(linear(x, self.kept, self.a.bias))).flatten()


class Slots:
    """Attributes that are in no dictionary."""

    __slots__ = ("first",)

    def __init__(self, first: nn.Module) -> None:
        self.first = first


class InSlots(Plain):
    def prepare(self) -> None:
        self.holder = Slots(self.a)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.tanh(self.holder.first(x))).flatten()


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "global layer": (GlobalLayer, r"a\.(weight|bias) itself.*the global variable SHARED, in GlobalLayer\."),
    "global table": (GlobalTable, r"a\.weight itself.*the global variable OUTSIDE"),
    "transposed": (Transposed, r"a\.weight itself.*the attribute turned"),
    "shared memory": (SharedMemory, r"the attribute numbers shares memory with the parameter a\.weight"),
    "shared buffer": (SharedBuffer, r"the buffer numbers shares memory with the parameter a\.weight"),
    "slots": (InSlots, r"a\.(weight|bias) itself"),
    "kept": (Kept, r"a tensor that an earlier pass left"),
}


def losses(generator: nn.Module) -> dict[str, Callable[[nn.Module], Tensor]]:
    torch.manual_seed(1)
    real, latent = torch.randn(16, 2).double(), torch.randn(16, 4).double()

    def value(critic: nn.Module) -> Tensor:
        return (softplus(-critic(real)) + softplus(critic(generator(latent)))).mean()

    return {"inner": value, "outer": lambda critic: -value(critic)}


def alike(make: Callable[[], nn.Module]) -> tuple[nn.Module, nn.Module]:
    """A critic, and a generator, with the same numbers as all others."""
    torch.manual_seed(0)
    generator, critic = nn.Linear(4, 2).double(), make()
    drawn = {name: torch.randn(shape).double() for name, shape in SHAPES.items()}
    for name, parameter in critic.named_parameters():
        parameter.data.copy_(drawn[".".join(name.split(".")[-2:])])
    return critic, generator


def unrolled(make: Callable[[], nn.Module], **options: Any) -> Tensor:
    critic, generator = alike(make)
    optimiser = torch.optim.Adam(critic.parameters(), lr=5e-2)
    loss = unrolled_loss(critic, optimiser, **losses(generator), **{"steps": STEPS, **options})
    (gradient,) = torch.autograd.grad(loss, [generator.weight])
    return gradient


def stepped(make: Callable[[], nn.Module], dynamics: Dynamics) -> Tensor:
    """The generator's weights after a step of a game's dynamics."""
    critic, generator = alike(make)
    generator.latent_shape = (4,)  # type: ignore[assignment]
    game = Adversarial(generator=generator, critic=critic)
    optimisers = {player: torch.optim.Adam(parameters_of(game, player), lr=5e-2) for player in game.players}
    torch.manual_seed(1)
    batch = Batch(torch.randn(16, 2).double(), torch.randn(16, 4).double(), {})
    for _ in range(3):
        dynamics.step(game, optimisers, lambda: batch)
    return torch.cat([p.detach().flatten() for p in parameters_of(game, "generator")])


DYNAMICS: dict[str, Dynamics] = {
    "alternating": Unrolled(Turns((("critic",), ("generator",))), steps=2),
    "simultaneous": Unrolled(Turns((("generator", "critic"),)), steps=2),
    "checkpoint": Unrolled(Turns((("critic",), ("generator",))), steps=2, checkpoint=True),
    "extragradient": Extragradient(),
}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("saving", [False, True])
def test_it_is_unrolled_exactly(name: str, saving: bool) -> None:
    true = unrolled(Plain)
    torch.testing.assert_close(unrolled(EXACT[name], checkpoint=saving), true, rtol=1e-10, atol=1e-14)
    assert (unrolled(Plain, steps=0) - true).norm() > 0.1 * true.norm()  # the control: without a look-ahead it differs


@pytest.mark.parametrize("dynamics", DYNAMICS)
@pytest.mark.parametrize("name", ["list", "bound method", "hook", "parameters in a list", "checkpointed", "compiled"])
def test_it_plays_any_dynamics_exactly(name: str, dynamics: str) -> None:
    true = stepped(Plain, DYNAMICS[dynamics])
    torch.testing.assert_close(stepped(EXACT[name], DYNAMICS[dynamics]), true, rtol=1e-10, atol=1e-14)
    plain = stepped(Plain, Turns((("critic",), ("generator",))))
    assert (plain - true).norm() > 1e-3 * true.norm()


@pytest.mark.parametrize(
    "name",
    ["list", *(pytest.param(name, marks=pytest.mark.evidence) for name in ("parameters in a list", "checkpointed"))],
)
def test_a_compiled_look_ahead_is_exact_too(name: str) -> None:
    true = stepped(Plain, DYNAMICS["alternating"])
    rule = CompiledUnrolled.of(DYNAMICS["alternating"])  # type: ignore[arg-type]
    torch.testing.assert_close(stepped(EXACT[name], rule), true, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_refused_by_name(name: str) -> None:
    make, words = REFUSED[name]
    with pytest.raises(SettingError, match=words):
        unrolled(make)


@pytest.mark.parametrize("dynamics", [*DYNAMICS, "one step", "compiled"])
@pytest.mark.parametrize("name", ["global layer", "global table", "transposed", "slots"])
def test_no_dynamics_gives_a_number_for_it(name: str, dynamics: str) -> None:
    more: dict[str, Dynamics] = {
        "one step": Unrolled(Turns((("generator", "critic"),)), steps=1),
        "compiled": CompiledUnrolled.of(DYNAMICS["alternating"]),  # type: ignore[arg-type]
    }
    with pytest.raises(SettingError, match="itself, which stays where it is"):
        stepped(REFUSED[name][0], {**DYNAMICS, **more}[dynamics])


def test_the_live_critic_as_a_free_variable_of_a_loss_is_refused() -> None:
    critic, generator = alike(Plain)
    optimiser = torch.optim.Adam(critic.parameters(), lr=5e-2)
    right = losses(generator)
    for wrong in ({"inner": lambda c: right["inner"](critic)}, {"outer": lambda c: right["outer"](critic)}):
        with pytest.raises(SettingError, match="itself, which stays where it is"):
            unrolled_loss(critic, optimiser, **{**right, **wrong}, steps=2)


def test_parameters_that_only_the_optimiser_knows_are_refused() -> None:
    class Unregistered(Plain):
        def prepare(self) -> None:
            self.scales = [nn.Parameter(torch.ones(1).double())]

        def forward(self, x: Tensor) -> Tensor:
            return self.core(x) * self.scales[0]

    critic, generator = alike(Unregistered)
    optimiser = torch.optim.Adam([*critic.parameters(), *critic.scales], lr=5e-2)  # type: ignore[misc]
    with pytest.raises(SettingError, match=r"the attribute scales.*nn\.ParameterList"):
        unrolled_loss(critic, optimiser, **losses(generator), steps=2)


def test_a_live_buffer_that_changes_is_refused() -> None:
    norm = nn.BatchNorm1d(2, affine=False).double()

    class GlobalNorm(Plain):
        def prepare(self) -> None:
            self.norm = norm

        def forward(self, x: Tensor) -> Tensor:
            return self.core(norm(x))

    critic, generator = alike(GlobalNorm)
    optimiser = torch.optim.Adam(critic.parameters(), lr=5e-2)
    with pytest.raises(SettingError, match=r"changed the live buffer norm\."):
        unrolled_loss(critic, optimiser, **losses(generator), steps=2)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_what_another_language_plays_is_refused_by_name() -> None:
    critic, generator = alike(Plain)
    traced = torch.jit.trace(critic, torch.zeros(3, 2).double())
    for sealed in (traced, nn.Sequential(traced)):
        optimiser = torch.optim.Adam(sealed.parameters(), lr=5e-2)
        with pytest.raises(SettingError, match="TopLevelTracedModule, whose weights cannot be replaced"):
            unrolled_loss(sealed, optimiser, **losses(generator), steps=2)


class Weighted(Plain):
    """Normalised weights, by a parametrisation or by a hook."""

    def __init__(self, how: Callable[[nn.Module], nn.Module]) -> None:
        self.how = how
        super().__init__()

    def prepare(self) -> None:
        self.how(self.a)


NORMALISED: dict[str, Callable[[nn.Module], nn.Module]] = {
    "weight_norm": parametrizations.weight_norm,
    "spectral_norm": parametrizations.spectral_norm,
    "orthogonal": parametrizations.orthogonal,
}


@pytest.mark.parametrize("caching", [False, True])
@pytest.mark.parametrize("name", NORMALISED)
def test_parametrised_weights_are_those_of_the_step_although_they_are_cached(name: str, caching: bool) -> None:
    torch.manual_seed(0)
    critic, generator = Weighted(NORMALISED[name]), nn.Linear(4, 2).double()
    critic.eval()  # spectral normalisation's vectors, which no derivative goes through, stand still
    optimiser = torch.optim.SGD(critic.parameters(), lr=0.1)
    own = losses(generator)

    def within(loss: Callable[[nn.Module], Tensor]) -> Callable[[nn.Module], Tensor]:
        def cached(c: nn.Module) -> Tensor:
            with parametrize.cached():
                return loss(c)

        return cached if caching else loss

    given = {name: within(loss) for name, loss in own.items()}
    unrolled_loss(critic, optimiser, **given, steps=STEPS).backward()
    verdict = check_unrolling(critic, optimiser, **own, steps=STEPS, parameters=generator.parameters())
    assert verdict, str(verdict)


def test_a_cache_around_many_look_aheads_is_not_used() -> None:
    torch.manual_seed(0)
    critic, generator = Weighted(parametrizations.weight_norm), nn.Linear(4, 2).double()
    optimiser = torch.optim.SGD(critic.parameters(), lr=0.1)

    def gradient() -> Tensor:
        loss = unrolled_loss(critic, optimiser, **losses(generator), steps=STEPS)
        return torch.autograd.grad(loss, [generator.weight])[0]

    true = gradient()
    with parametrize.cached():
        for _ in range(5):
            torch.testing.assert_close(gradient(), true, rtol=1e-12, atol=0)


def test_a_recurrent_critic_is_unrolled() -> None:
    """nn.LSTM plays from a list of its parameters, not from their names."""

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.memory, self.head = nn.LSTM(2, 5, batch_first=True), nn.Linear(5, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.memory(x.view(-1, 1, 2))[0][:, -1]).flatten()

    torch.manual_seed(0)
    critic, generator = Recurrent().double(), nn.Linear(4, 2).double()
    optimiser = torch.optim.Adam(critic.parameters(), lr=5e-2)
    own = losses(generator)
    unrolled_loss(critic, optimiser, **own, steps=STEPS).backward()
    verdict = check_unrolling(critic, optimiser, **own, steps=STEPS, parameters=generator.parameters())
    assert verdict, str(verdict)


def test_what_a_pass_leaves_behind_is_carried_from_step_to_step() -> None:
    """A critic that grows harsher by the call: K real steps of a copy say what is right; the live one has no part."""

    class Counting(Plain):
        def prepare(self) -> None:
            self.calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return self.core(x) * (1 + 0.3 * self.calls)

    critic, generator = alike(Counting)
    optimiser = torch.optim.SGD(critic.parameters(), lr=0.1)
    own = losses(generator)
    unrolled_loss(critic, optimiser, **own, steps=STEPS).backward()
    assert critic.calls == 0
    verdict = check_unrolling(critic, optimiser, **own, steps=STEPS, parameters=generator.parameters())
    assert verdict, str(verdict)
