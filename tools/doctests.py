"""Doctests of docstrings as code blocks of the site: an extension of griffe, which mkdocs.yml names."""

import re
from typing import Any

from griffe import Extension, Object

EXAMPLE = re.compile(r"^>>> .*(?:\n.*\S.*)*", re.MULTILINE)  # up to an empty line


def fenced(text: str) -> str:
    """A docstring with a fence around each example.

    >>> print(fenced("One more.\\n\\n>>> 1 + 1\\n2\\n"))
    One more.
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    <BLANKLINE>
    """
    return EXAMPLE.sub(lambda match: f"```pycon\n{match[0]}\n```", text)


class Doctests(Extension):
    """Fences the examples of each docstring before it is rendered."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
