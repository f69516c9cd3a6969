import { expect, test } from "vitest";
import { snakeKeys } from "./json-keys.ts";

test("fields are named as in the log, at every depth; values stay", () => {
  expect(
    snakeKeys({ sessionId: "aB", costMicroUsd: 1, list: [{ isOpen: null }], already_so: [1, "xY"] }),
  ).toEqual({
    session_id: "aB",
    cost_micro_usd: 1,
    list: [{ is_open: null }],
    already_so: [1, "xY"],
  });
});
