"""The differences of a comparison as a forest plot, and its file."""

from pathlib import Path

from agon.arena.comparisons.conclusions import difference_text, interval_text, undecided_text
from agon.arena.comparisons.result import ComparisonResult
from agon.arena.comparisons.score import ComparedScore, Ends
from agon.errors import SettingError
from agon.figures.forest import ForestRow, forest_png
from agon.runs import write_atomically

NOTES = (
    "Each row has its own scale. Thick: 95 % interval of this score alone; thin: all rows hold together.",
    "Filled: decided at 95 % with all scores counted (Holm). Grey: the score describes, and no side is better.",
)


def forest(result: ComparisonResult) -> bytes:
    """Draw a PNG with a row for each score; on the left the first experiment is better, on the right the second.

    Scores that only describe are grey, on the side of the experiment with the greater mean.
    """
    first, second = result.names
    rows = [_row(score) for score in result.scores]
    return forest_png(rows, left=f"{first} is better", right=f"{second} is better", notes=NOTES)


def write_comparison(result: ComparisonResult, file: Path | str) -> Path:
    """Write a comparison to a file: its forest plot as NAME.png, or all of it as NAME.json.

    Raises:
        SettingError: the file has another ending.
        RunError: it cannot be written.
    """
    file = Path(file)
    if file.suffix not in (".png", ".json"):
        raise SettingError(f"a comparison: expected a file NAME.png or NAME.json, got {file}")
    content = forest(result) if file.suffix == ".png" else f"{result.json}\n".encode()
    write_atomically(file, content, instead="choose a file in a folder that can be written")
    return file


def _row(score: ComparedScore) -> ForestRow:
    turned = -1.0 if _on_left(score) == (score.difference > 0) else 1.0
    sign = score.direction.sign if score.direction else ""
    return ForestRow(
        name=f"{score.name} {sign}".rstrip(),
        value=turned * score.difference,
        interval=_turned(turned, score.interval),
        together=_turned(turned, score.together),
        decided=score.decided,
        text=f"{difference_text(score)} {interval_text(score)}",
        note="decided" if score.decided else undecided_text(score),
        describes=score.best is None,
    )


def _on_left(score: ComparedScore) -> bool:
    return score.difference > 0 if score.best is None else score.better == "first"


def _turned(sign: float, ends: Ends | None) -> Ends | None:
    if ends is None:
        return None
    low, high = sorted((sign * ends[0], sign * ends[1]))
    return low, high
