import { describe, expect, test } from "vitest";
import type { Grade, GradeRequest, Judge } from "./contract.ts";
import { createPanel } from "./panel.ts";

const asked: string[] = [];
const judge = (model: string, status: Grade["status"]): Judge => ({
  async grade() {
    asked.push(model);
    const items = [
      {
        rubric: "it is clear",
        status: status === "met" ? ("met" as const) : ("unmet" as const),
        reason: model,
        quotes: [],
      },
    ];
    const problem = status === "error" ? { problem: "it was cut off" } : {};
    return {
      ...{ criterion: "one", status, model, ...problem, requests: 2, cost_micro_usd: 30, duration_ms: 400 },
      items: status === "error" ? [] : items,
    };
  },
});

async function grade(...statuses: readonly Grade["status"][]): Promise<Grade> {
  asked.length = 0;
  const judges = statuses.map((status, index) => judge(`m${index + 1}`, status));
  return await createPanel(judges).grade({} as GradeRequest, new AbortController().signal);
}

describe("a panel", () => {
  test("finds met what all of them find met, and tells what all of them took", async () => {
    expect(await grade("met", "met", "met")).toMatchObject({
      ...{ status: "met", model: "m1, m2, m3", requests: 6, cost_micro_usd: 90, duration_ms: 1200 },
    });
  });

  test("finds unmet what one of them does, whose reasons are told, and asks nobody else", async () => {
    const found = await grade("met", "unmet", "met");
    expect(found).toMatchObject({ status: "unmet", model: "m1, m2", items: [{ reason: "m2" }], requests: 4 });
    expect(asked).toEqual(["m1", "m2"]);
  });

  test("has no grade where one of them fails, and names it", async () => {
    expect(await grade("error", "met")).toMatchObject({
      ...{ status: "error", items: [], problem: "m1: it was cut off" },
    });
    expect(asked).toEqual(["m1"]);
  });
});
