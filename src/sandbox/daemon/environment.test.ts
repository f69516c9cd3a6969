import { expect, test } from "vitest";
import { cleanEnvironment, withMarker } from "./environment.ts";

test("only what is on the list passes", () => {
  const clean = cleanEnvironment({
    PATH: "/bin",
    HOME: "/home/me",
    LC_ALL: "C",
    ANTHROPIC_API_KEY: "secret",
    NODE_OPTIONS: "--inspect",
    BASH_ENV: "/evil",
    LD_PRELOAD: "/evil.so",
    "BASH_FUNC_ls%%": "() { evil; }",
    TERM: "xterm",
    USER: undefined,
  });
  const expected = ["GIT_PAGER", "GIT_TERMINAL_PROMPT", "HOME", "LC_ALL", "PAGER", "PATH", "TERM"];
  expect(Object.keys(clean).sort()).toEqual(expected);
  expect(clean).toMatchObject({ PATH: "/bin", HOME: "/home/me", TERM: "dumb" });
  expect(cleanEnvironment({})["PATH"]).toContain("/bin");
});

test("a sandbox within a sandbox carries both markers", () => {
  const outer = withMarker(cleanEnvironment({}), "outer.1");
  expect(withMarker(cleanEnvironment(outer), "inner.2")["NIGHTSHIFT_EXEC"]).toBe("outer.1:inner.2");
});
