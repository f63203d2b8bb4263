import ast
import json
import re
from collections import Counter
from pathlib import Path

import pytest

import dss

ROOT = Path(dss.__file__).parents[1]
PAGES = [ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING")]
PAGES += [*(ROOT / "docs" / "guide").glob("*.md"), ROOT / "benchmarks" / "README.md"]
NOTEBOOKS = [*(ROOT / "notebooks").glob("*.ipynb")]
MODULES = [*(ROOT / "dss").rglob("*.py")]
# What reads as translated, and what to write instead.
STIFF = {
    r"\b(those|these) by (hand|dss)\b": "manual annotations, predictions",
    r"\bmade anew\b": "made again",
    r"\bjust so\b": "with these settings",
    r"\blikewise\b|\bhitherto\b|\bthere(by|in|upon)\b|\bwhereby\b": "and, before, so",
    r"\bin spite of\b": "despite",
    r"\bin order to\b": "to",
    r"\b(is|are) to be \w+ed\b": "you",
    r"\bthe (former|latter)\b": "its name",
    r"\bneighbor": "neighbour",
}


def texts_of(path):
    """The texts of a page, a notebook or a module that people read."""
    if path.suffix == ".md":
        return [path.read_text()]
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text())["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    nodes = ast.walk(ast.parse(path.read_text()))
    return [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]


@pytest.mark.parametrize(
    "files", [PAGES, NOTEBOOKS, MODULES], ids=["pages", "notebooks", "modules"]
)
def test_texts_are_plain_english(files):
    found = [
        f"{path.relative_to(ROOT)}: {match[0]!r}; better: {better}"
        for path in files
        for text in texts_of(path)
        for pattern, better in STIFF.items()
        for match in re.finditer(pattern, text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_page_says_the_same_twice(page):
    text = re.sub(
        r"```.*?```|^(?:    |\|).*$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE
    )
    sentences = re.split(r"(?<=[.:!?])\s+|\n\n|\n- ", text)
    plain = Counter(" ".join(sentence.split()) for sentence in sentences)
    twice = [s for s, n in plain.items() if n > 1 and len(s) > 50]
    assert not twice, twice
