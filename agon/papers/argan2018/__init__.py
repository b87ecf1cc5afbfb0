"""Yazıcı, Yap, Winkler 2018, "Autoregressive generative adversarial networks"."""

from agon.papers.argan2018.items import ITEMS

__all__ = ["ITEMS"]
