import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { allCells, BACKENDS, matrixTable, reasonAgainst, STEPS, VICTIMS } from "./matrix.ts";

test("every combination of sandbox, step and victim is tried, or has a reason why it cannot be", () => {
  const cells = allCells();
  expect(new Set(cells.map((cell) => JSON.stringify(cell))).size).toBe(cells.length);
  for (const backend of BACKENDS)
    for (const step of STEPS)
      for (const victim of VICTIMS) {
        const isTried = cells.some(
          (cell) => cell.backend === backend && cell.step === step && cell.victim === victim,
        );
        expect(reasonAgainst({ backend, step, victim }) === undefined).toBe(isTried);
      }
});

test("the documentation shows the matrix as it is", () => {
  expect(readFileSync("docs/sandboxes.md", "utf8")).toContain(matrixTable());
});
