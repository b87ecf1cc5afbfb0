"""Metrics: pure functions from tensors of samples to Scores; this room imports no run and no training."""

from agon.metrics.classes import accuracy, class_coverage, class_divergence
from agon.metrics.coverage import Coverage, mode_coverage, modes_held
from agon.metrics.density import jensen_shannon, support
from agon.metrics.distances import pairwise_distance_gap, pairwise_distances
from agon.metrics.efficientnet import EfficientNet
from agon.metrics.fid import (
    frechet_distance,
    frechet_distance_of_moments,
    frechet_distance_to_moments,
)
from agon.metrics.gam.battle import battle, one_sided
from agon.metrics.gam.outcome import Battle
from agon.metrics.gam.verdict import winner
from agon.metrics.inception import Inception
from agon.metrics.inception_score import inception_score
from agon.metrics.kid import kernel_distance
from agon.metrics.memorisation import memorisation
from agon.metrics.moments import Moments
from agon.metrics.neighbours import Neighbours, nearest_neighbours
from agon.metrics.optimal_critic import critic_gap, optimal_critic
from agon.metrics.paths import path_smoothness
from agon.metrics.prdc import prdc, precision_recall
from agon.metrics.random_convolutions import RandomConvolutions
from agon.metrics.ranking import best_rank, by_fractional_difference
from agon.metrics.reconstruction import Reconstruction, reconstruct
from agon.metrics.requested import by_class, class_accuracy
from agon.metrics.score import Score
from agon.metrics.statistics import Statistics, is_statistics, read_statistics, write_statistics
from agon.metrics.weights import INCEPTION_SHA256

__all__ = [
    "INCEPTION_SHA256",
    "Battle",
    "Coverage",
    "EfficientNet",
    "Inception",
    "Moments",
    "Neighbours",
    "RandomConvolutions",
    "Reconstruction",
    "Score",
    "Statistics",
    "accuracy",
    "battle",
    "best_rank",
    "by_class",
    "by_fractional_difference",
    "class_accuracy",
    "class_coverage",
    "class_divergence",
    "critic_gap",
    "frechet_distance",
    "frechet_distance_of_moments",
    "frechet_distance_to_moments",
    "inception_score",
    "is_statistics",
    "jensen_shannon",
    "kernel_distance",
    "memorisation",
    "mode_coverage",
    "modes_held",
    "nearest_neighbours",
    "one_sided",
    "optimal_critic",
    "pairwise_distance_gap",
    "pairwise_distances",
    "path_smoothness",
    "prdc",
    "precision_recall",
    "read_statistics",
    "reconstruct",
    "support",
    "winner",
    "write_statistics",
]
