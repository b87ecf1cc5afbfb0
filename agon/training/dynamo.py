"""torch's optimisers without torch._dynamo, which they import at their first step though nothing is compiled.

The import takes as long as that of torch itself. It serves two purposes: methods of an optimiser are not to be
compiled, and a step breaks a compiled graph. As long as nothing has imported torch._dynamo, nothing is being compiled,
and both are nothing to do. Once something has, torch's own functions are called again.
"""

import sys
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import torch

DYNAMO = "torch._dynamo"
Function = Callable[..., Any]


@cache
def spare_dynamo() -> None:
    """Let all optimisers of this process do without torch._dynamo until something else imports it."""
    for method in vars(torch.optim.Optimizer).values():
        if _file(method) == torch._compile.__file__:
            method.__wrapped__.__dynamo_disable = _undisturbed(method.__wrapped__)
    for optimiser in vars(torch.optim).values():
        step = vars(optimiser).get("step") if isinstance(optimiser, type) else None
        if getattr(getattr(step, "__code__", None), "co_name", "") == "_use_grad":
            optimiser.step = _eager(step)


def _file(function: Any) -> str:
    """Where a wrapper is defined."""
    return getattr(getattr(function, "__code__", None), "co_filename", "") if hasattr(function, "__wrapped__") else ""


def _undisturbed(function: Any) -> Function:
    """What torch calls in the place of a method, instead of its disabled twin."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if DYNAMO not in sys.modules:
            return function(*args, **kwargs)
        from torch._dynamo import disable  # waits for it, where another thread is importing it

        function.__dynamo_disable = disable(function, True, wrapping=False)
        return function.__dynamo_disable(*args, **kwargs)

    return call


def _eager(step: Any) -> Function:
    """A step that records derivatives only if its optimiser asks for it, as torch's wrapper does."""

    @wraps(step)
    def stepped(self: torch.optim.Optimizer, *args: Any, **kwargs: Any) -> Any:
        if DYNAMO in sys.modules:
            return step(self, *args, **kwargs)
        with torch.set_grad_enabled(self.defaults["differentiable"]):
            return step.__wrapped__(self, *args, **kwargs)

    return stepped
