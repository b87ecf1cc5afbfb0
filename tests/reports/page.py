"""A page as a browser reads it: elements with their attributes, and text with its element."""

import json
from base64 import b64decode
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from agon.figures.pictures import read_grid

VOID = {"meta", "img", "br", "link"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, tag: str, kind: str = "") -> list["Element"]:
        """Every element inside with this tag, and this class if one is given, in order."""
        found = [self] if self.tag == tag and kind in ("", *self.attributes.get("class", "").split()) else []
        return found + [element for child in self.children for element in child.all(tag, kind)]

    def words(self) -> str:
        """All text inside."""
        return " ".join([self.text, *(child.words() for child in self.children)]).strip()


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("document", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data


def read_page(file: Path) -> Element:
    """The root of the page; every element is closed where it should be."""
    reader = Reader()
    reader.feed(file.read_text(encoding="utf-8"))
    reader.close()
    assert len(reader.open) == 1
    return reader.open[0]


def section(page: Element, name: str) -> Element:
    return next(part for part in page.all("section") if part.attributes["id"] == name)


def tiles(image: Element) -> np.ndarray:
    """The pixels that an <img> of a grid holds, uint8 "n c h w"."""
    head, _, content = image.attributes["src"].partition(",")
    assert head == "data:image/png;base64"
    return read_grid(b64decode(content)).tiles


def figures(page: Element) -> list[dict[str, Any]]:
    """What the page's curves are drawn from; [] on a page without curves."""
    held = [script for script in page.all("script") if script.attributes.get("id") == "figures"]
    return json.loads(held[0].text, parse_constant=_refuse) if held else []


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON: a browser would read nothing")


def traces(page: Element) -> dict[str, dict[str, Any]]:
    """Name -> curve, of what has values."""
    return {trace["name"]: trace for figure in figures(page) for trace in figure["traces"] if trace["x"] != [None]}
