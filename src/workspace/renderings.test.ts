import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  atMs,
  calm,
  inWorkspace,
  repository,
  someSession,
  temporaryFolder,
  workspacesIn,
} from "../../test/support/repositories.ts";

const rendering = { path: ".nightshift/contract.json", text: '{"goal": "x"}\n', isForReading: true };

describe.each([{ copies: false }, { copies: true }])(
  "a text of the harness ($copies = copies)",
  ({ copies }) => {
    async function begin() {
      const folder = temporaryFolder();
      const source = repository(join(folder, "project"), { "a.txt": "one\n" });
      const workspaces = workspacesIn(folder);
      const id = someSession();
      const options = { dirty: "refuse", atMs, copies, renderings: [rendering] } as const;
      const { files, base, included } = await workspaces.prepare(id, source, options, calm);
      const read = async (): Promise<string | null> =>
        (await workspaces.rendering(id, rendering.path))?.toString() ?? null;
      const save = async (number: number) =>
        workspaces.checkpoint(id, { number, previous: base, reason: "test", atMs }, calm);
      return { source, workspaces, files, included, read, save, id, base };
    }

    test("is there to be read, and is part of no commit and of no repository of the user's", async () => {
      const { source, files, included, read, save } = await begin();
      expect(inWorkspace(files, `cat ${rendering.path}; git status --porcelain`)).toBe(rendering.text);
      expect(inWorkspace(files, `stat -c %a ${rendering.path}`)).toBe("444\n");
      expect(await read()).toBe(rendering.text);
      expect(included).toEqual([]);
      expect((await save(1)).changes.files).toBe(0);
      expect(existsSync(join(source, ".nightshift"))).toBe(false);
    });

    test.each([
      ["changed", `rm -f ${rendering.path}; echo lies > ${rendering.path}`, "lies\n"],
      ["removed", `rm ${rendering.path}`, null],
      ["made a link", `ln -sf /etc/passwd ${rendering.path}`, null],
      ["taken away with its folder", "rm -r .nightshift && ln -s /etc .nightshift", null],
    ])("that was %s is seen to be, and no commit holds it", async (_how, command, found) => {
      const { files, read, save } = await begin();
      inWorkspace(files, command);
      expect(await read()).toBe(found);
      expect((await save(1)).changes.files).toBeLessThanOrEqual(command.includes("ln -s /etc") ? 1 : 0);
    });
  },
);

test("what the project itself has at that place counts", async () => {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), { ".nightshift/contract.json": "theirs\n" });
  const workspaces = workspacesIn(folder);
  const options = { dirty: "refuse", atMs, renderings: [rendering] } as const;
  const { files } = await workspaces.prepare(someSession(), source, options, calm);
  expect(inWorkspace(files, `cat ${rendering.path}`)).toBe("theirs\n");
});
