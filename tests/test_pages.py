"""The pages of the documentation: links that lead somewhere, and pages that are made."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from spacetime_py import exceptions
from tests.documentation import DOCUMENTS, ROOT

FEATURES = ROOT / "docs" / "features.md"
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.M | re.S)


def anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    words = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {text.strip().replace(" ", "-") for text in words}


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`]*`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))
    for link in _LINK.findall(text):
        if ":" in link:
            continue  # another site
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_each_topic_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / link).resolve() for link in _LINK.findall(index)}
    pages = [page for page in DOCUMENTS if page.is_relative_to(ROOT / "docs")]
    left_out = [page for page in pages if page.parent.name != "decisions" and page not in linked]
    assert left_out == [ROOT / "docs" / "README.md"]


def test_each_feature_has_a_page_and_a_test() -> None:
    rows = re.findall(r"^\| (?!feature|---)(.*) \|(.*)\|(.*)\|$", FEATURES.read_text(), re.M)
    assert len(rows) == 69
    for name, page, test in rows:
        (described,), (tested,) = _LINK.findall(page), _LINK.findall(test)
        assert described.partition("#")[0].endswith(".md"), name
        assert (FEATURES.parent / tested).suffix in (".py", ".rs"), name


def test_each_error_is_on_its_page() -> None:
    page = (ROOT / "docs" / "topics" / "errors.md").read_text(encoding="utf-8")
    assert [name for name in exceptions.__all__ if f"`{name}`" not in page] == []


@pytest.mark.skipif(sys.version_info < (3, 13), reason="older ones show `_core` in other words")
def test_the_reference_is_current() -> None:
    command = [sys.executable, str(ROOT / "tools" / "api_reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
