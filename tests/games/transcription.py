"""ARGAN's losses by loops over numbers, in NumPy: nothing of the game but its weights."""

import numpy as np
from numpy.typing import NDArray

from agon.games import Autoregressive, Batch

Array = NDArray[np.float64]
N, SHAPE, FEATURES = 3, (1, 4, 4), (2, 2, 2)


class Transcription:
    """Algorithm 1 and equations 9 and 10 by loops over numbers, on the weights of a game."""

    def __init__(self, game: Autoregressive) -> None:
        self.w = {name: value.detach().numpy() for name, value in game.named_parameters()}
        self.game, self.layers = game, game.autoregressor.memory.num_layers

    def losses(self, given: Batch) -> dict[str, float]:
        made = [self.generated(z) for z in given.latent.numpy()]
        f_r, f_f = self.features(list(given.real.numpy())), self.features(made)
        e_r, e_f = (sum(self.error(f) for f in each) / N for each in (f_r, f_f))
        losses = {"generator": e_f, "encoder": e_r - e_f, "autoregressor": e_r - e_f if self.game.contrastive else e_r}
        if "patch" in self.game.players:
            patch = sum(self.squares(f, 1) for f in f_r) / N + sum(self.squares(f, 0) for f in f_f) / N
            losses["generator"] += sum(self.squares(f, 1) for f in f_f) / N
            losses["encoder"] += patch
            losses["patch"] = patch
        return losses

    def generated(self, z: Array) -> Array:
        return np.tanh(self.w["generator.0.weight"] @ z).reshape(SHAPE)

    def features(self, images: list[Array]) -> Array:
        """Windows of 2 x 2, normalised over this side's own batch, and leaky."""
        kernel = self.w["encoder.layers.0.weight"]
        out = np.zeros((N, *FEATURES))
        for j, c, y, x in np.ndindex(out.shape):
            out[j, c, y, x] = (kernel[c, 0] * images[j][0, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2]).sum()
        scale, shift = self.w["encoder.layers.1.0.weight"], self.w["encoder.layers.1.0.bias"]
        for c in range(FEATURES[0]):
            every = out[:, c]
            out[:, c] = (every - every.mean()) / np.sqrt(((every - every.mean()) ** 2).mean() + 1e-5)
            out[:, c] = out[:, c] * scale[c] + shift[c]
        return np.where(out > 0, out, 0.2 * out)

    def groups(self, f: Array) -> list[Array]:
        module = self.game.autoregressor
        channels, height, width = FEATURES
        if module.by == "space":
            parts = [f[:, y, x] for y in range(height) for x in range(width)]
        else:
            parts = [f[c].flatten() for c in range(channels)]
        return [np.concatenate(parts[i : i + module.group]) for i in range(0, len(parts), module.group)]

    def error(self, f: Array) -> float:
        """Σ_i |p_i - f_{i+1}|, or its square, from a start of zeros: N_f terms."""
        groups = self.groups(f)
        states = [(np.zeros(3), np.zeros(3)) for _ in range(self.layers)]
        total, before = 0.0, np.zeros_like(groups[0])
        for group in groups:
            x = before
            for layer in range(self.layers):
                states[layer] = self.cell(layer, x, *states[layer])
                x = states[layer][0]
            prediction = self.w["autoregressor.project.weight"] @ x + self.w["autoregressor.project.bias"]
            total += sum(abs(p - t) ** self.game.norm for p, t in zip(prediction, group, strict=True))
            before = group
        return total

    def cell(self, layer: int, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Input, forget, candidate and output, in torch's order."""
        w_x, w_h, b_x, b_h = (
            self.w[f"autoregressor.memory.{n}_l{layer}"] for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        i, f, g, o = np.split(w_x @ x + b_x + w_h @ h + b_h, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    def squares(self, f: Array, target: float) -> float:
        """½ of the mean over positions of (d(f) - target)²."""
        kernel, bias = self.w["patch.judge.weight"][0, :, 0, 0], self.w["patch.judge.bias"][0]
        _, height, width = FEATURES
        marks = [kernel @ f[:, y, x] + bias for y in range(height) for x in range(width)]
        return sum((mark - target) ** 2 for mark in marks) / (2 * height * width)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))
