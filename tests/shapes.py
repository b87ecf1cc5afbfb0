"""Shapes are checked at runtime: of every function that states any, at its first calls in every test.

Checking every call, and types that mypy checks, took half of the suite's time: the hundredth step of a training calls
what its first step called. `SHAPES=all pytest` checks everything; `make evidence` does.
"""

import functools
import inspect
import os
from collections.abc import Callable
from typing import Any, get_args

import jaxtyping
from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray
from jaxtyping import jaxtyped as jaxtyped_always

ALL = os.environ.get("SHAPES") == "all"
CALLS = 4  # of a function in a test
checked = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is a float, as type checkers have it
test = 0  # the number of the test that runs


def install() -> None:
    """Check agon, in all modules of it that are imported from now on."""
    if not ALL:
        jaxtyping.jaxtyped = jaxtyped  # type: ignore[assignment]  # the import hook decorates by this name
    jaxtyping.install_import_hook("agon", f"{__name__}.checked")


def next_test() -> None:
    """Begin to count the calls of every function anew."""
    global test
    test += 1


def jaxtyped(*, typechecker: Callable[..., Any]) -> Callable[[Any], Any]:
    """Decorate a function or a class: unchanged if it states no shape, else checked.

    A function within another is left alone: it is made anew, and would be decorated anew, in every call of that one.
    """

    def decorated(owner: Any) -> Any:
        if "<locals>" in owner.__qualname__ or not any(map(states_shape, annotations(owner))):
            return owner
        checking = jaxtyped_always(typechecker=typechecker)(owner)
        return checking if inspect.isclass(owner) else at_first(owner, checking)

    return decorated


def annotations(owner: Any) -> list[Any]:
    """The types of a function's arguments and result, or of a class's fields."""
    try:
        return list(inspect.get_annotations(owner, eval_str=True).values())
    except NameError:  # a name of TYPE_CHECKING
        return list(inspect.get_annotations(owner).values())


def states_shape(annotation: Any) -> bool:
    """Whether a type is an array of a shape, or has one in it."""
    if inspect.isclass(annotation) and issubclass(annotation, AbstractArray):
        return True
    return any(map(states_shape, annotation if isinstance(annotation, list | tuple) else get_args(annotation)))


def at_first(function: Callable[..., Any], checking: Callable[..., Any]) -> Callable[..., Any]:
    """The function, of which the first calls in a test are checked."""
    of_test, calls = test, 0

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        nonlocal of_test, calls
        if of_test != test:
            of_test, calls = test, 0
        if calls == CALLS:
            return function(*args, **kwargs)
        calls += 1
        return checking(*args, **kwargs)

    return called
