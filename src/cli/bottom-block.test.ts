import fc from "fast-check";
import { expect, test } from "vitest";
import { Terminal } from "../../test/support/terminal.ts";
import { BottomBlock } from "./bottom-block.ts";

test("lines stay below what is printed", () => {
  const terminal = new Terminal();
  const block = new BottomBlock(terminal);
  const print = (text: string): void => block.above(() => terminal.write(`${text}\n`));
  print("first");
  block.show(["one", "two"]);
  expect(terminal.text).toBe("first\none\ntwo");
  print("second");
  expect(terminal.text).toBe("first\nsecond\none\ntwo");
  block.show(["three"]);
  expect(terminal.text).toBe("first\nsecond\nthree");
  block.show([]);
  expect(terminal.text).toBe("first\nsecond");
  print("third");
  expect(terminal.text).toBe("first\nsecond\nthird");
});

test("what is drawn already is not written again", () => {
  const written: string[] = [];
  const block = new BottomBlock({ columns: 80, write: (text) => written.push(text) });
  block.show(["one"]);
  block.show(["one"]);
  expect(written).toHaveLength(1);
});

test("lines that a narrower terminal has broken are taken away whole", () => {
  const written: string[] = [];
  const terminal = { columns: 80, write: (text: string) => written.push(text) };
  const block = new BottomBlock(terminal);
  block.show(["a".repeat(70), "b"]);
  terminal.columns = 40;
  block.show([]);
  expect(written.at(-1)).toContain("\u001b[3A");
});

const text = fc.string({ unit: fc.constantFrom("a", "b", " "), maxLength: 60 });
const step = fc.oneof(
  fc.record({ print: text }),
  fc.record({
    show: fc.array(
      text.map((line) => line.slice(0, 30)),
      { maxLength: 5 },
    ),
  }),
);

test("whatever is printed and shown, the scrollback is what was printed", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const terminal = new Terminal(40);
      const block = new BottomBlock(terminal);
      const alone = new Terminal(40);
      for (const each of steps) {
        if ("show" in each) block.show(each.show);
        else {
          block.above(() => terminal.write(`${each.print}\n`));
          alone.write(`${each.print}\n`);
        }
      }
      block.show([]);
      expect(terminal.text).toBe(alone.text);
    }),
  );
});
