import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Toolchain } from "./contract.ts";
import { findProgramOf } from "./toolchain.ts";

let root: string;
let workspace: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "nightshift-toolchain-"));
  workspace = join(root, "workspace");
  mkdirSync(workspace);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function program(path: string, script: string): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, `#!/bin/sh\n${script}\n`);
  chmodSync(full, 0o755);
  return full;
}

function link(path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}

async function find(name: string, ...folders: readonly string[]): Promise<Toolchain> {
  const path = [...folders.map((folder) => join(root, folder)), "/usr/bin", "/bin"].join(":");
  const environment = { PATH: path, HOME: root, SOME_KEY: "secret" };
  return findProgramOf([name, "test"], { workspace, environment, signal: new AbortController().signal });
}

const sources = (toolchain: Toolchain): readonly string[] => toolchain.mounts.map(({ source }) => source);

describe("a program", () => {
  test("of the system needs nothing", async () => {
    for (const name of ["env", "sh"]) {
      const found = await find(name);
      expect(found.mounts).toEqual([]);
      expect(found.path).toEqual([]);
    }
  });

  test("of a version manager with folders per version is seen with its installation", async () => {
    program(".nvm/versions/node/v22/bin/tool", "echo 22");
    const found = await find("tool", ".nvm/versions/node/v22/bin");
    expect(sources(found)).toEqual([join(root, ".nvm/versions/node/v22")]);
    expect(found.path).toEqual([join(root, ".nvm/versions/node/v22/bin")]);
    expect(found.versions).toEqual({ tool: "22" });
  });

  test("behind a shim is the one that the manager names for this workspace", async () => {
    program(".pyenv/versions/3.9/bin/tool", "echo tool 3.9");
    program(".pyenv/shims/tool", "echo shim");
    program(
      ".pyenv/bin/pyenv",
      `cat "$PWD/.version" >/dev/null && echo ${root}/.pyenv/versions/3.9/bin/tool`,
    );
    writeFileSync(join(workspace, ".version"), "3.9");
    const found = await find("tool", ".pyenv/shims");
    expect(sources(found)).toEqual([join(root, ".pyenv/versions/3.9")]);
    expect(found.versions).toEqual({ tool: "tool 3.9" });
  });

  test("behind rustup is the one that rustup names", async () => {
    program(".rustup/toolchains/stable/bin/tool", "echo 1.0");
    const rustup = program(".cargo/bin/rustup", `echo ${root}/.rustup/toolchains/stable/bin/tool`);
    link(".cargo/bin/tool", rustup);
    const found = await find("tool", ".cargo/bin");
    expect(sources(found)).toEqual([join(root, ".rustup/toolchains/stable")]);
  });

  test("behind a link of another name keeps the link", async () => {
    const script = program("opt/lib/node_modules/client/bin/client.js", "echo 5");
    link("links/tool", script);
    const found = await find("tool", "links");
    expect(sources(found)).toEqual([join(root, "opt"), join(root, "links")]);
    expect(found.path).toEqual([join(root, "links")]);
  });

  test.each([
    ["bin/tool", "bin"],
    [".local/bin/tool", ".local/bin"],
  ])("in a person's own %s does not show the person's other things", async (path, folder) => {
    program(path, "echo 1");
    expect(sources(await find("tool", folder))).toEqual([join(root, folder)]);
  });

  test("installed among a person's own things shows its package and the link to it", async () => {
    const script = program(".local/lib/node_modules/@scope/client/bin/client.js", "echo 5");
    link(".local/bin/tool", script);
    const found = await find("tool", ".local/bin");
    expect(sources(found)).toEqual([
      join(root, ".local/lib/node_modules/@scope/client"),
      join(root, ".local/bin"),
    ]);
  });

  test("of a package collection is seen with the whole collection", async () => {
    const real = program("brew/Cellar/tool/1/bin/tool", "echo 1");
    link("brew/bin/tool", real);
    expect(sources(await find("tool", "brew/bin"))).toEqual([join(root, "brew")]);
  });

  test("is asked with no key and away from the workspace", async () => {
    program("own/bin/tool", 'echo "$SOME_KEY" "$PWD"');
    expect((await find("tool", "own/bin")).versions).toEqual({ tool: "/" });
  });
});

describe("it is refused", () => {
  test.each([
    ["that is not there", "absent", ["own/bin"]],
    ["of the workspace itself", "planted", ["workspace/bin"]],
    ["that a manager finds in the workspace", "tool", [".cargo/bin"]],
  ])("to use a program %s", async (_what, name, folders) => {
    program("workspace/bin/planted", `touch ${root}/ran`);
    const rustup = program(".cargo/bin/rustup", `echo ${root}/workspace/bin/planted`);
    link(".cargo/bin/tool", rustup);
    await expect(find(name, ...folders)).rejects.toMatchObject({ code: "E_TOOLCHAIN_MISSING" });
    await expect(find("cat", "own/bin")).resolves.toBeDefined();
    expect(() => rmSync(join(root, "ran"))).toThrow("ENOENT");
  });
});
