"""Games in which an autoregressor's prediction error on an encoder's features tells real from generated samples."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.arguments import refuse_classes
from agon.augmentation import Adaptive, Augmentation
from agon.errors import SettingError
from agon.games.augmented import FAKE, REAL, AugmentedGame
from agon.games.game import Batch, Losses, latent_shape_of, two_samples
from agon.networks.layers import evaluation_mode
from agon.objectives import LeastSquares, Objective

BySide = Mapping[str, Tensor]  # for "real", "fake" or both, in this order


def prediction_errors(
    predictions: Float[Tensor, "n *features"], features: Float[Tensor, "n *features"], norm: Literal[1, 2] = 1
) -> Float[Tensor, " n"]:
    """|R(f) - f|₁ of each sample, summed over groups and channels; in float32 if features are in bfloat16.

    Args:
        predictions: R(f).
        features: f.
        norm: 2 sums squares in the place of absolute values.

    Source: argan2018, Algorithm 1; section 4 names the L2 loss.
    """
    gaps = predictions - features
    gaps = gaps.float() if gaps.dtype is torch.bfloat16 else gaps
    return (gaps.abs() if norm == 1 else gaps.square()).flatten(1).sum(1)


class Autoregressive(AugmentedGame):
    """The encoder makes features of real samples easy to predict, and those of generated samples hard.

    With e(x) = E[|R(E(x)) - E(x)|₁], the prediction error averaged over the batch,

        L_generator = e(G(z)),   L_encoder = e(x) - e(G(z)),   L_autoregressor = e(x).

    The targets of the predictions are not detached: the encoder's gradient passes through both. The
    autoregressor fits features of real samples only. Real and generated samples pass the encoder separately,
    as batch normalisation requires; all losses use these two passes, and a pass that no loss needs is skipped.

    With `contrastive`, L_autoregressor = L_encoder (equation 5), which has no lower bound; the paper found it unstable.

    Args:
        generator: a module with `latent_shape` that maps "n *latent_shape" to "n *shape".
        encoder: a module that maps "n *shape" to features "n *features".
        autoregressor: a module that maps features to predictions of the same shape; it predicts each number
            from those before it, in the module's own order.
        augmentation: transforms all samples, real and generated, that the encoder sees.
        norm: 1 for the L1 error, 2 for the sum of squares.
        contrastive: whether the autoregressor also makes generated features hard to predict.

    Source: argan2018, equations 5, 7 and 8 and Algorithm 1.
    """

    scoring_player: ClassVar[str] = "encoder"
    players: ClassVar[Mapping[str, Sequence[str]]] = {
        "generator": ("generator",),
        "encoder": ("encoder",),
        "autoregressor": ("autoregressor",),
    }
    signs: ClassVar[Mapping[str, Mapping[str, float]]] = {
        "generator": {"fake": 1.0},
        "encoder": {"real": 1.0, "fake": -1.0},
        "autoregressor": {"real": 1.0},
    }  # player -> the sign of each energy in its loss

    def __init__(
        self,
        *,
        generator: nn.Module,
        encoder: nn.Module,
        autoregressor: nn.Module,
        augmentation: Augmentation | Adaptive | None = None,
        norm: Literal[1, 2] = 1,
        contrastive: bool = False,
    ) -> None:
        super().__init__(augmentation)
        if norm not in (1, 2):
            raise SettingError(f"norm: expected 1 or 2, got {norm}")
        refuse_classes(self, generator=generator, encoder=encoder, autoregressor=autoregressor)
        self.generator = generator
        self.encoder = encoder
        self.autoregressor = autoregressor
        self.norm: Literal[1, 2] = norm
        self.contrastive = contrastive

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return latent_shape_of(self.generator)

    def generate(self, latent: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        return self.generator(latent)  # type: ignore[no-any-return]

    def losses(self, batch: Batch, fake: Float[Tensor, "n ..."] | None = None, *, of: Collection[str]) -> Losses:
        return self._energetic(self._features(batch, fake, of), of)

    def realness(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
        """Minus the prediction error of each sample's features."""
        return -self.errors(self.encoder(x))

    def errors(self, features: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
        """The autoregressor's error on each sample's features."""
        return prediction_errors(self.autoregressor(features), features, self.norm)

    def check(self, shape: tuple[int, ...]) -> None:
        with torch.no_grad(), evaluation_mode(self):
            fake = two_samples(self, self.generator, shape)
            self._check_feature_networks(self.encoder(fake))

    def _features(self, batch: Batch, fake: Tensor | None, of: Collection[str]) -> BySide:
        """The encoder's features of the samples on which these players' losses depend."""
        sides = self._sides(of)
        features = {"real": self.encoder(self.augmented(batch.real, batch, REAL))} if "real" in sides else {}
        if "fake" in sides:
            fake = self.generate(batch.latent) if fake is None else fake
            features["fake"] = self.encoder(self.augmented(fake, batch, FAKE))
        return features

    def _sides(self, of: Collection[str]) -> set[str]:
        return {side for player in of for side in self._signs(player)}

    def _signs(self, player: str) -> Mapping[str, float]:
        """The sign of each energy in a player's loss."""
        return self.signs["encoder" if self.contrastive and player == "autoregressor" else player]

    def _energetic(self, features: BySide, of: Collection[str]) -> Losses:
        """The signed sums of energies."""
        needed = {side for player in of for side in self._signs(player)}
        errors = {side: self.errors(features[side]) for side in features if side in needed}
        energies = {side: error.mean() for side, error in errors.items()}
        sums = {p: [(sign, energies[side]) for side, sign in self._signs(p).items()] for p in of if self._signs(p)}
        losses = {
            player: torch.stack([sign * energy for sign, energy in terms]).sum() for player, terms in sums.items()
        }
        seen = {f"energy/{side}": energy.detach() for side, energy in energies.items()}
        if self.scoring_player in of:
            seen |= self.overfitting(-errors["real"], -errors["fake"])
        return Losses(losses, seen, sums)

    def _check_feature_networks(self, features: Tensor) -> None:
        """Raise a SettingError if a network that takes features does not fit them."""
        predictions = self.autoregressor(features)
        if predictions.shape != features.shape:
            raise SettingError(
                f"{type(self.autoregressor).__name__}: expected predictions of the features' shape "
                f"{tuple(features.shape[1:])}, got {tuple(predictions.shape[1:])}; predict every feature once"
            )


class PatchAutoregressive(Autoregressive):
    """The same game with a fourth player, a critic of the features at each position.

    A patch critic d maps features to a logit for each position. d and E share an objective for D = d ∘ E,
    averaged over the batch and over positions:

        L_generator = e(G(z)) + o_G(D(G(z))),   L_encoder = e(x) - e(G(z)) + o_D(D(x), D(G(z))),
        L_autoregressor = e(x),                 L_patch = o_D(D(x), D(G(z))).

    The two parts are added without a weight. `realness` uses only the prediction error, as in
    `Autoregressive`; `patch_realness` uses the patch critic.

    Args:
        generator: as in `Autoregressive`.
        encoder: maps "n *shape" to features "n c h w".
        autoregressor: as in `Autoregressive`.
        patch: a module that maps features "n c h w" to logits "n h w".
        objective: o, the pair of losses.
        augmentation, norm, contrastive: as in `Autoregressive`.

    Source: argan2018, section 3.3 and equations 9 and 10, where least squares are minimised.
    """

    players: ClassVar[Mapping[str, Sequence[str]]] = {**Autoregressive.players, "patch": ("patch",)}
    signs: ClassVar[Mapping[str, Mapping[str, float]]] = {**Autoregressive.signs, "patch": {}}

    def __init__(
        self,
        *,
        generator: nn.Module,
        encoder: nn.Module,
        autoregressor: nn.Module,
        patch: nn.Module,
        objective: Objective = LeastSquares(),  # noqa: B008 - frozen
        augmentation: Augmentation | Adaptive | None = None,
        norm: Literal[1, 2] = 1,
        contrastive: bool = False,
    ) -> None:
        super().__init__(
            generator=generator,
            encoder=encoder,
            autoregressor=autoregressor,
            augmentation=augmentation,
            norm=norm,
            contrastive=contrastive,
        )
        self.patch = patch
        self.objective = objective

    def losses(self, batch: Batch, fake: Float[Tensor, "n ..."] | None = None, *, of: Collection[str]) -> Losses:
        features = self._features(batch, fake, of)
        losses, seen, _ = self._energetic(features, of)
        scored = self._scored_by_patch(of)
        logits = {side: self._logits(features[side]) for side in features if side in scored}
        for player, value in self._patchwise(logits, of).items():
            losses[player] = losses[player] + value if player in losses else value
        return Losses(losses, {**seen, **{f"logit/{side}": value.detach().mean() for side, value in logits.items()}})

    def patch_realness(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """The patch critic's logit of each sample, averaged over positions."""
        return self._logits(self.encoder(x)).flatten(1).mean(1)

    def _sides(self, of: Collection[str]) -> set[str]:
        return super()._sides(of) | self._scored_by_patch(of)

    def _scored_by_patch(self, of: Collection[str]) -> set[str]:
        """The samples that the patch critic scores."""
        if {"encoder", "patch"} & set(of):
            return {"real", "fake"}
        if "generator" in of:
            return {"real", "fake"} if self.objective.generator_sees_real else {"fake"}
        return set()

    def _patchwise(self, logits: BySide, of: Collection[str]) -> dict[str, Tensor]:
        """The objective's part of each player's loss; every position counts as a sample."""
        fake, real = (logits[side].flatten() if side in logits else None for side in ("fake", "real"))
        if fake is None:
            return {}
        losses = {"generator": self.objective.generator(real, fake)} if "generator" in of else {}
        if real is not None and {"encoder", "patch"} & set(of):
            shared = self.objective.critic(real, fake)
            losses.update({player: shared for player in ("encoder", "patch") if player in of})
        return losses

    def _logits(self, features: Tensor) -> Tensor:
        logits: Tensor = self.patch(features)
        return logits.float() if logits.dtype is torch.bfloat16 else logits

    def _check_feature_networks(self, features: Tensor) -> None:
        super()._check_feature_networks(features)
        logits = self.patch(features)
        if logits.shape != features[:, 0].shape:
            raise SettingError(
                f"{type(self.patch).__name__}: expected a logit for each position, shape (n, h, w) = "
                f"{tuple(features[:, 0].shape)}, got {tuple(logits.shape)}; let it end in .squeeze(1)"
            )
