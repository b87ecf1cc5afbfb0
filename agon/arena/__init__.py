"""Battles of runs: generators and critics swap opponents."""

from agon.arena.battles import Asked, against, battle

__all__ = ["Asked", "against", "battle"]
