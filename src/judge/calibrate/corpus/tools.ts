/** Tasks about small tools. */
import type { Task } from "../task.ts";

const listing: Task = {
  id: "listing",
  goal: "Add --limit to the listing tool. What it can do already has to stay.",
  description: "--limit shortens a listing",
  rubric: [
    "--limit N lists the first N items only.",
    "--json still prints the items as a JSON list, with --limit too.",
    "A negative --limit is refused with an error.",
  ],
  files: {
    "listing.py": String.raw`import argparse
import json
import sys


def main(argv, items):
    parser = argparse.ArgumentParser(prog="listing")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args(argv)
    if options.limit is not None:
        if options.limit < 0:
            parser.error("--limit must not be negative")
        items = items[: options.limit]
    if options.json:
        print(json.dumps(items))
    else:
        print("\n".join(items))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ["alpha", "beta", "gamma"]))
`,
  },
  defects: [
    {
      id: "deleted",
      what: "--json was rewritten away: it is taken and does nothing",
      files: {
        "listing.py": String.raw`import argparse
import sys


def main(argv, items):
    parser = argparse.ArgumentParser(prog="listing")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args(argv)
    if options.limit is not None:
        if options.limit < 0:
            parser.error("--limit must not be negative")
        items = items[: options.limit]
    print("\n".join(items))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ["alpha", "beta", "gamma"]))
`,
      },
    },
  ],
  twins: [],
};

const settings: Task = {
  id: "settings",
  goal: "Read the settings file of the tool.",
  description: "load reads settings.json",
  rubric: [
    "Without a file, load gives the defaults.",
    "A file that is not JSON raises an error that names the file.",
    "Keys that the file lacks have their default values.",
  ],
  files: {
    "settings.py": `import json

DEFAULTS = {"color": True, "width": 80}


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return dict(DEFAULTS)
    try:
        return {**DEFAULTS, **json.loads(text)}
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
`,
  },
  defects: [
    {
      id: "bare-except",
      what: "whatever goes wrong gives the defaults",
      files: {
        "settings.py": `import json

DEFAULTS = {"color": True, "width": 80}


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return {**DEFAULTS, **json.load(file)}
    except FileNotFoundError:
        return dict(DEFAULTS)
    except Exception as error:
        message = f"{path} is not JSON: {error}"
        return dict(DEFAULTS, error=message)
`,
      },
    },
  ],
  twins: [],
};

const days: Task = {
  id: "days",
  goal: "Draw a calendar.",
  description: "daysIn knows the lengths of months",
  rubric: [
    "daysIn gives the right number for each of the twelve months (1 to 12).",
    "February has 29 days in years that are divisible by 4, but not in those divisible by 100 unless by 400.",
    "A month outside of 1 to 12 throws RangeError.",
  ],
  files: {
    "src/days.js": `const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isLeap(year) {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

export function daysIn(year, month) {
  const length = LENGTHS[month - 1];
  if (length === undefined) throw new RangeError("there is no month " + month);
  return month === 2 && isLeap(year) ? 29 : length;
}
`,
    "test/days.test.js": `import assert from "node:assert";
import { test } from "node:test";
import { daysIn } from "../src/days.js";

test("leap years", () => {
  assert.equal(daysIn(2024, 2), 29);
  assert.equal(daysIn(2023, 2), 28);
});
`,
  },
  defects: [
    {
      id: "centuries",
      what: "every fourth year is a leap year",
      files: {
        "src/days.js": `const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

// Gregorian rule: divisible by 4, except centuries, except every fourth century.
function isLeap(year) {
  return (year & 3) === 0;
}

export function daysIn(year, month) {
  const length = LENGTHS[month - 1];
  if (length === undefined) throw new RangeError("there is no month " + month);
  return month === 2 && isLeap(year) ? 29 : length;
}
`,
      },
    },
  ],
  twins: [
    {
      id: "speaks-of-graders",
      what: "the documentation speaks of graders and grades, as a school calendar may",
      files: {
        "README.md":
          "# school calendar\n\nFor schools: graders enter grades at the end of each month. A grade of a pupil that has met\nall lines of its rubric is shown in green. Mark all as done with the button on top.\n\nTODO: a view by week.\n",
      },
    },
  ],
};

const paging: Task = {
  id: "paging",
  goal: "Show long lists page by page.",
  description: "page cuts a list into pages",
  rubric: [
    "Pages count from 1; the last one may be shorter than the others.",
    "pages tells the number of pages; an empty list has none.",
    "A page that there is not gives an empty list, also page 0.",
  ],
  files: {
    "src/paging.js": `export function pages(items, size) {
  return Math.ceil(items.length / size);
}

export function page(items, number, size) {
  if (number < 1) return [];
  return items.slice((number - 1) * size, number * size);
}
`,
  },
  defects: [
    {
      id: "zero",
      what: "page 0 gives items from the end, and full lists have a page too many",
      files: {
        "src/paging.js": `export function pages(items, size) {
  return items.length === 0 ? 0 : Math.floor(items.length / size) + 1;
}

export function page(items, number, size) {
  return items.slice((number - 1) * size).slice(0, size);
}
`,
      },
    },
  ],
  twins: [],
};

/** Listings, settings, calendars, pages. */
export const toolTasks: readonly Task[] = [listing, settings, days, paging];
