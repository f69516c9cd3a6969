/** Python with pytest, and with unittest through pytest. */
import { type Field, fieldOf, put } from "./field.ts";

const IGNORED = "__pycache__/\n.pytest_cache/\n";

const LEDGER = `from decimal import Decimal

RATES = {"food": Decimal("0.05"), "books": Decimal("0.07"), "other": Decimal("0.19")}


def tax(amount, kind="other"):
    return Decimal(amount) * RATES.get(kind, RATES["other"])


def total(amount, kind="other"):
    return Decimal(amount) + tax(amount, kind)


def share(amount, people):
    return float(amount) / people + 0.01
`;

const LEDGER_TEST = `from decimal import Decimal

import pytest

from ledger import RATES, share, tax, total


@pytest.mark.parametrize("kind", sorted(RATES))
def test_every_kind_is_taxed(kind):
    assert 0 < tax("100", kind) < 100


@pytest.mark.parametrize(
    ("amount", "expected"), [("1.00", "1.19"), ("9.99", "11.89"), ("0.05", "0.06")]
)
def test_total_has_cents(amount, expected):
    assert total(amount) == Decimal(expected)


def test_share_is_exact():
    assert share("10", 4) == pytest.approx(2.5)


def test_unknown_kind():
    assert tax("100", "toys") == 19
`;

const files = {
  ".gitignore": IGNORED,
  "setup.cfg": "[tool:pytest]\ntestpaths = tests\npythonpath = .\n",
  "ledger.py": LEDGER,
  "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef nothing():\n    return None\n",
  "tests/test_ledger.py": LEDGER_TEST,
};

const MENDED = `sed -i 's/return Decimal(amount) + tax(amount, kind)/return (Decimal(amount) + tax(amount, kind)).quantize(Decimal("0.01"))/; s/ + 0.01$//' ledger.py
`;

/** Totals have to be in whole cents, and shares exact. */
export const ledger: Field = fieldOf({ name: "ledger", files }, ["python3", "-m", "pytest", "-q"], MENDED);

/** The same with checks that the worker never sees. */
export const ledgerHeldOut: Field = {
  ...ledger,
  terms: {
    ...ledger.terms,
    heldOut: {
      files: {
        "unseen.py": `from decimal import Decimal
from ledger import share, total

assert type(total("3.33")) is Decimal and str(total("3.33")) == "3.96"
assert type(share("9", 4)) is float and share("9", 4) == 2.25
assert str(total("7.77", "books")) == "8.31"
`,
      },
      argv: ["env", "PYTHONPATH=.", "python3", "unseen/unseen.py"],
      target: "unseen",
    },
  },
};

/** Unittest: four is IV. */
export const roman: Field = fieldOf(
  {
    name: "roman",
    files: {
      ".gitignore": IGNORED,
      "src/roman.py": `VALUES = [(1000, "M"), (500, "D"), (100, "C"), (50, "L"), (10, "X"), (5, "V"), (1, "I")]


def roman(number):
    text = ""
    for value, letter in VALUES:
        while number >= value:
            text += letter
            number -= value
    return text
`,
      "tests/test_roman.py": `import unittest

from roman import roman


class RomanTest(unittest.TestCase):
    def test_adds(self):
        self.assertEqual(roman(6), "VI")
        self.assertEqual(roman(1021), "MXXI")

    def test_takes_away(self):
        self.assertEqual(roman(4), "IV")
        self.assertEqual(roman(1994), "MCMXCIV")

    def test_is_text(self):
        self.assertIsInstance(roman(1), str)
`,
    },
  },
  ["env", "PYTHONPATH=src", "python3", "-m", "pytest", "-q", "tests"],
  put(
    "src/roman.py",
    `VALUES = [
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
]


def roman(number):
    text = ""
    for value, letters in VALUES:
        while number >= value:
            text += letters
            number -= value
    return text
`,
  ),
);
