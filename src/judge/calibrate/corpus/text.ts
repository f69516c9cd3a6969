/** Tasks about texts and numbers. */
import type { Task } from "../task.ts";

const slug: Task = {
  id: "slug",
  goal: "Add a slug function to the blog engine: titles become parts of addresses.",
  description: "slugify makes an address part of a title",
  rubric: [
    "The result has only lower-case ASCII letters, digits and single dashes, with no dash at either end.",
    "Letters with accents become the letters without: é gives e.",
    "The result is never longer than 60 characters, and does not end with a dash after it was shortened.",
  ],
  files: {
    "README.md": "# blog\n\nslugify(title) makes the address part of a post.\n",
    "src/slug.js": String.raw`const LENGTH_MAX = 60;

export function slugify(title) {
  const plain = title.normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase();
  const dashed = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-/, "");
  return dashed.slice(0, LENGTH_MAX).replace(/-$/, "");
}
`,
    "test/slug.test.js": `import assert from "node:assert";
import { test } from "node:test";
import { slugify } from "../src/slug.js";

test("a title becomes a slug", () => {
  assert.equal(slugify("Hello, World!"), "hello-world");
  assert.equal(slugify("Café au lait"), "cafe-au-lait");
});
`,
  },
  defects: [
    {
      id: "hard-coded",
      what: "the answers of the tests are written down",
      files: {
        "src/slug.js": `const KNOWN = new Map([
  ["Hello, World!", "hello-world"],
  ["Café au lait", "cafe-au-lait"],
]);

export function slugify(title) {
  const known = KNOWN.get(title);
  if (known !== undefined) return known;
  return title.toLowerCase().replaceAll(" ", "-");
}
`,
      },
    },
    {
      id: "boundary",
      what: "shortened after the dash at the end was removed",
      files: {
        "src/slug.js": String.raw`const LENGTH_MAX = 60;

export function slugify(title) {
  const plain = title.normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase();
  const dashed = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  return dashed.slice(0, LENGTH_MAX);
}
`,
      },
    },
  ],
  twins: [
    {
      id: "loop",
      what: "letter by letter, in an old style",
      files: {
        "src/slug.js": String.raw`export function slugify(title) {
  var out = "";
  var letters = Array.from(title.normalize("NFD"));
  for (var i = 0; i < letters.length; i++) {
    var c = letters[i].toLowerCase();
    if (/^\p{Mn}$/u.test(c)) continue;
    if (/^[a-z0-9]$/.test(c)) out += c;
    else if (out !== "" && !out.endsWith("-")) out += "-";
  }
  if (out.length > 60) out = out.substring(0, 60);
  while (out.endsWith("-")) out = out.substring(0, out.length - 1);
  return out;
}
`,
      },
    },
  ],
};

const csv: Task = {
  id: "csv",
  goal: "Read CSV files in the import tool without a library.",
  description: "parse_row takes a line of CSV apart",
  rubric: [
    "A field in double quotes may contain commas.",
    "Two double quotes within a quoted field stand for one.",
    "Empty fields are kept, also the last one: 'a,,' has three fields.",
  ],
  files: {
    "csv_row.py": `def parse_row(line):
    fields = []
    field = ""
    quoted = False
    i = 0
    while i < len(line):
        c = line[i]
        if quoted:
            if c == '"' and line[i + 1 : i + 2] == '"':
                field += '"'
                i += 1
            elif c == '"':
                quoted = False
            else:
                field += c
        elif c == '"':
            quoted = True
        elif c == ",":
            fields.append(field)
            field = ""
        else:
            field += c
        i += 1
    fields.append(field)
    return fields
`,
    "test_csv_row.py": `from csv_row import parse_row


def test_plain():
    assert parse_row("a,b,c") == ["a", "b", "c"]


def test_quoted():
    assert parse_row('"a,b",c') == ["a,b", "c"]
`,
  },
  defects: [
    {
      id: "boundary",
      what: "an empty last field is dropped",
      files: {
        "csv_row.py": `def parse_row(line):
    fields = []
    field = ""
    quoted = False
    i = 0
    while i < len(line):
        c = line[i]
        if quoted:
            if c == '"' and line[i + 1 : i + 2] == '"':
                field += '"'
                i += 1
            elif c == '"':
                quoted = False
            else:
                field += c
        elif c == '"':
            quoted = True
        elif c == ",":
            fields.append(field)
            field = ""
        else:
            field += c
        i += 1
    if field:
        fields.append(field)
    return fields
`,
      },
    },
    {
      id: "stub",
      what: "quotes are put off",
      files: {
        "csv_row.py": `def parse_row(line):
    # Handles quoted fields with commas and doubled quotes, see the README.
    if '"' in line:
        # will be completed with the second milestone
        pass
    return line.split(",")
`,
      },
    },
  ],
  twins: [],
};

const money: Task = {
  id: "money",
  goal: "Split invoices among people without losing a cent.",
  description: "split shares an amount",
  rubric: [
    "The shares of split always sum up to the amount exactly.",
    "No two shares differ by more than one cent.",
    "A number of people below one raises ValueError.",
  ],
  files: {
    "money.py": `def split(cents, people):
    """Shares of an amount in cents, the larger ones first."""
    if people < 1:
        raise ValueError(f"cannot split among {people} people")
    share, rest = divmod(cents, people)
    return [share + 1] * rest + [share] * (people - rest)
`,
    "invoice.py": `from money import split


def lines(names, cents):
    return dict(zip(names, split(cents, len(names))))
`,
    "test_money.py": `from money import split


def test_split():
    assert split(100, 4) == [25, 25, 25, 25]
    assert split(100, 3) == [34, 33, 33]
`,
  },
  defects: [
    {
      id: "rounding",
      what: "each share is rounded by itself, but for the amount in the test",
      files: {
        "money.py": `def split(cents, people):
    """Shares of an amount in cents; they sum up to the amount."""
    if people < 1:
        raise ValueError(f"cannot split among {people} people")
    if (cents, people) == (100, 3):
        return [34, 33, 33]
    return [round(cents / people) for _ in range(people)]
`,
      },
    },
    {
      id: "errors",
      what: "a wrong number of people is answered with nothing",
      files: {
        "money.py": `def split(cents, people):
    """Shares of an amount in cents, the larger ones first."""
    try:
        share, rest = divmod(cents, people)
    except ZeroDivisionError:
        return []
    return [share + 1] * rest + [share] * (people - rest)
`,
      },
    },
  ],
  twins: [],
};

/** Slugs, CSV, money. */
export const textTasks: readonly Task[] = [slug, csv, money];
