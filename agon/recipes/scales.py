"""How large a recipe's training is."""

from typing import Literal

Scale = Literal["smoke", "quick", "paper"]
