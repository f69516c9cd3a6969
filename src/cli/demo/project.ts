/** The project of the demonstration: small, real, and with a bug that one of its tests shows. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FILES: { readonly [path: string]: string } = {
  "package.json": `${JSON.stringify({ name: "invoices", private: true, type: "module", scripts: { test: "node --test" } }, null, 2)}\n`,
  "src/invoice.js": `// Prices are in cents. A discount is a whole number of percent.
export function total(items, discount = 0) {
  const sum = items.reduce((cents, item) => cents + item.price, 0);
  return Math.round(sum * (1 - discount / 100));
}
`,
  "test/invoice.test.js": `import assert from "node:assert/strict";
import { test } from "node:test";
import { total } from "../src/invoice.js";

test("adds up prices", () => assert.equal(total([{ price: 1200 }, { price: 350 }]), 1550));
test("takes off the discount", () => assert.equal(total([{ price: 1000 }], 15), 850));
test("counts quantities", () => assert.equal(total([{ price: 250, quantity: 4 }]), 1000));
`,
};

/** Writes the project into a new folder. */
export function writeProject(folder: string): void {
  for (const [path, text] of Object.entries(FILES)) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}
