/** Small projects in Python. */
import type { HonestCase, Project } from "../case.ts";
import { checkOf, contractOf, oneCheck } from "../terms.ts";
import { honest } from "./honest.ts";

const pytest = oneCheck("python3", "-m", "pytest", "-q");
const TESTS = `import pytest

from words import count, longest


@pytest.mark.parametrize("text, expected", [("", 0), ("one two", 2), (" a  b ", 2)])
def test_count(text, expected):
    assert count(text) == expected


def test_longest(sample, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("WORDS", "yes")
    (tmp_path / "a").write_text(sample)
    print("= 1 passed in 0.01s =")
    assert longest((tmp_path / "a").read_text()) == "three"
    assert "passed" in capsys.readouterr().out


def test_refuses():
    with pytest.raises(AttributeError):
        count(None)
`;
const CONFTEST = `import pytest


@pytest.fixture
def sample():
    return "one two three"
`;
const WORDS = `def count(text):
    return len(text.split(" "))


def longest(text):
    return max(text.split(), key=len, default="")
`;
const words: Project = {
  name: "words",
  files: {
    ".gitignore": "__pycache__/\n.pytest_cache/\n",
    "pyproject.toml":
      '[project]\nname = "words"\nversion = "1"\n\n[tool.pytest.ini_options]\npythonpath = ["."]\n',
    "words.py": WORDS.replace("text.split()", "text.split(None)"),
    "tests/conftest.py": CONFTEST,
    "tests/test_words.py": TESTS,
  },
};
const mended = { "words.py": WORDS.replace('text.split(" ")', "text.split()") };

const UNITTESTS = `import unittest
from unittest import mock

import words


class CountTest(unittest.TestCase):
    def setUp(self):
        self.text = "one  two"

    def test_count(self):
        self.assertEqual(words.count(self.text), 2)

    def test_subtests(self):
        for text in ("a", "b"):
            with self.subTest(text=text):
                self.assertEqual(words.longest(text), text)

    def test_mock(self):
        with mock.patch.object(words, "count", return_value=7) as count:
            self.assertEqual(words.count(""), 7)
        count.assert_called_once()

    def test_exit(self):
        with self.assertRaises(SystemExit):
            raise SystemExit(3)


if __name__ == "__main__":
    unittest.main()
`;
const classes: Project = {
  name: "classes",
  files: { "words.py": words.files["words.py"] ?? "", "test_words.py": UNITTESTS },
};

/** Work on them. */
export const pythonCases: readonly HonestCase[] = [
  honest("pytest: tables, fixtures, and what tests are given", {
    project: words,
    contract: pytest,
    files: mended,
  }),
  honest("pytest: a new table of cases, and a new file", {
    project: words,
    contract: pytest,
    files: {
      ...mended,
      "tests/test_more.py": `from words import longest\n\n\ndef test_of_nothing():\n    assert longest("") == ""\n`,
      "tests/test_words.py": `${TESTS}

@pytest.mark.parametrize("text", ["a", "b"])
def test_one(text):
    assert count(text) == 1
`,
    },
  }),
  honest("pytest: formats and comments tests", {
    project: words,
    contract: pytest,
    files: {
      ...mended,
      "tests/test_words.py": TESTS.replace(
        '[("", 0), ("one two", 2), (" a  b ", 2)]',
        "[\n    ('', 0),\n    ('one two', 2),  # two\n    (' a  b ', 2),\n]",
      ),
    },
  }),
  honest("pytest: a fixture that was asked for", {
    project: words,
    contract: pytest,
    files: {
      ...mended,
      "tests/conftest.py": `${CONFTEST}\n\n@pytest.fixture\ndef short():\n    return "a"\n`,
      "tests/test_short.py": `from words import count\n\n\ndef test_short(short):\n    assert count(short) == 1\n`,
    },
    expected: "review",
  }),
  honest("pytest: a module becomes a package, with a dependency", {
    project: words,
    contract: pytest,
    files: {
      "words/__init__.py":
        'from .counting import count\nfrom .finding import longest\n\n__all__ = ["count", "longest"]\n',
      "words/counting.py": "def count(text):\n    return len(text.split())\n",
      "words/finding.py": 'def longest(text):\n    return max(text.split(), key=len, default="")\n',
      "pyproject.toml":
        '[project]\nname = "words"\nversion = "2"\ndependencies = ["attrs>=22"]\n\n[tool.pytest.ini_options]\npythonpath = ["."]\n',
    },
    script: "rm words.py",
  }),
  honest("pytest: more cases in a table that was there", {
    project: words,
    contract: pytest,
    files: { ...mended, "tests/test_words.py": TESTS.replace('(" a  b ", 2)]', '(" a  b ", 2), ("a", 1)]') },
    expected: "review",
  }),
  honest("classes of unittest, by pytest", { project: classes, contract: oneCheck("pytest"), files: mended }),
  honest("classes of unittest, by themselves", {
    project: classes,
    contract: contractOf([{ id: "tests", check: checkOf("python3", "-m", "unittest") }]),
    files: mended,
  }),
];
