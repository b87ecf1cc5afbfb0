"""Keep agon/papers/expected.json: when the expectations of each item were last changed, and when its first result came.

    python -m tools.expected "what was changed and why"

Run it after changing an expectation; a test says where it is needed. The date of the change is today's, its revision
the last one before it. The first result is the first commit of the item's ITEM.json.
"""

import json
import subprocess
import sys
from datetime import UTC, datetime

from agon.papers import ITEMS, Item
from agon.papers.expected import FILE, Expected, digest, expected
from tools.pages import PAGES


def git(*arguments: str) -> str:
    """What git says."""
    return subprocess.run(["git", *arguments], cwd=PAGES, check=True, capture_output=True, text=True).stdout.strip()


def first_result(name: str) -> tuple[str | None, str | None]:
    """Date and revision of the first commit of an item's numbers; (None, None) if it has none."""
    lines = git("log", "--diff-filter=A", "--format=%cs %h", "--", f"{name}.json").splitlines()
    date, _, revision = lines[-1].partition(" ") if lines else ("", "", "")
    return (date, revision) if lines else (None, None)


def kept(item: Item, because: str) -> Expected:
    """The entry of an item: as it is, or with today's date if its expectations have changed."""
    known = expected().get(item.name)
    if known is not None and known.digest == digest(item):
        if known.first_date is not None:
            return known
        date, revision = first_result(item.name)
        return known._replace(first_date=date, first_revision=revision)
    date, revision = first_result(item.name)
    if date is not None and not because:
        raise SystemExit(f'{item.name}: its expectations changed after its first result; say why: tools.expected "..."')
    today, head = datetime.now(UTC).date().isoformat(), git("rev-parse", "--short", "HEAD")
    reasons = [known.because if known else "", because] if date else []
    told = " ".join(reason for reason in reasons if reason)
    return Expected(digest(item), today, f"{head}+", date, revision, date is not None, told)


def text(because: str = "") -> str:
    """The file as it is written."""
    entries = {item.name: kept(item, because)._asdict() for item in ITEMS.values() if item.expects}
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(" ".join(sys.argv[1:])), encoding="utf-8")
    print(FILE)
