import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { END_OF_SCRIPT, loadScript, parseScript, type ScriptCue, ScriptPlayer } from "./script.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nightshift-script-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("a malformed script", () => {
  test.each([
    ['{"turns": [}', "a.json is not JSON"],
    ["null", "a.json, the top level: "],
    ["{}", "a.json, turns: "],
    ['{"turns": [], "truns": 1}', "a.json, truns: "],
    ['{"turns": [{"text": "a"}, {"txt": "b"}]}', "a.json, turns[1].txt: "],
    ['{"turns": [{"tools": [{"input": {}}]}]}', "a.json, turns[0].tools[0].name: "],
    ['{"turns": [{"fail": [{"kind": "status"}]}]}', "a.json, turns[0].fail[0].status: "],
    ['{"turns": [{"fail": [{"kind": "stutus"}]}]}', "a.json, turns[0].fail[0].kind: "],
    ['{"turns": [{"delay_ms": -1}]}', "a.json, turns[0].delay_ms: "],
    ['{"turns": [{"stop": "now"}]}', "a.json, turns[0].stop: "],
  ])("%s is refused by name of field and place", async (text, beginning) => {
    await expect(parseScript(text, "a.json")).rejects.toMatchObject({
      code: "E_SCRIPT_INVALID",
      message: expect.stringContaining(beginning),
    });
  });

  test("a file that is not there is refused by its path", async () => {
    const path = join(temporaryFolder(), "missing.json");
    await expect(loadScript(path)).rejects.toMatchObject({
      code: "E_SCRIPT_INVALID",
      message: expect.stringContaining(path),
    });
  });
});

describe("a script", () => {
  test("keeps its files beside itself", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "script.json");
    writeFileSync(
      path,
      JSON.stringify({ turns: [], attempts_file: "played.txt", requests_file: "a/b.jsonl" }),
    );
    expect(await loadScript(path)).toMatchObject({
      attempts_file: join(folder, "played.txt"),
      requests_file: join(folder, "a/b.jsonl"),
    });
  });

  test("fills in variables everywhere, and leaves the shell's own alone", () => {
    const turn = {
      text: `\${who} writes \${file}`,
      tools: [{ name: "shell", input: { command: `cat \${file} $HOME \${HOME}`, list: [`\${file}`] } }],
    };
    const variables = { who: "script", file: "a.txt" };
    const { blocks } = new ScriptPlayer({ turns: [turn], variables }, { who: "caller" }).play(cue(0));
    expect(blocks).toEqual([
      { type: "text", text: "caller writes a.txt" },
      {
        type: "tool_call",
        id: "call_0_0",
        name: "shell",
        raw: `{"command":"cat a.txt $HOME \${HOME}","list":["a.txt"]}`,
      },
    ]);
  });

  test("cuts blocks into pieces that join up again, without tearing letters apart", () => {
    void fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: "grapheme" }),
        fc.integer({ min: 1, max: 7 }),
        (thinking, text, chunk_chars) => {
          const { blocks, chunks } = new ScriptPlayer({ turns: [{ thinking, text, chunk_chars }] }).play(
            cue(0),
          );
          const joined = blocks.map((_block, index) =>
            chunks.flatMap((chunk) => (chunk.block === index ? [chunk.text] : [])).join(""),
          );
          expect(joined).toEqual([thinking, text]);
          expect(chunks.filter((chunk) => chunk.isLast)).toHaveLength(2);
          if (text.isWellFormed())
            expect(chunks.every((chunk) => chunk.block === 0 || chunk.text.isWellFormed())).toBe(true);
        },
      ),
    );
  });

  test("uses up its faults one per attempt, for each turn by itself", () => {
    const player = new ScriptPlayer({
      turns: [
        { text: "a", fail: [{ kind: "reset" }, { kind: "cut" }] },
        { text: "b", fail: [{ kind: "garbage" }], fail_always: { kind: "silence" } },
      ],
    });
    const faults = [0, 1, 0, 1, 0, 1].map((turn) => player.play(cue(turn)).fault?.kind);
    expect(faults).toEqual(["reset", "garbage", "cut", "silence", undefined, "silence"]);
  });

  test("can count attempts in a file, for several processes and lives", () => {
    const attempts_file = join(temporaryFolder(), "deeper", "attempts.txt");
    const script = {
      turns: [{ text: "a", fail: [{ kind: "reset" as const }, { kind: "cut" as const }] }],
      attempts_file,
    };
    const faults = [1, 2, 3].map(() => new ScriptPlayer(script).play(cue(0)).fault?.kind);
    expect(faults).toEqual(["reset", "cut", undefined]);
  });

  test("has turns of its own for a context that begins with certain words, and counts their attempts apart", () => {
    const player = new ScriptPlayer({
      turns: [{ text: "first" }],
      threads: [
        { when: "attempt", turns: [{ text: "any", fail: [{ kind: "reset" }] }] },
        { when: "attempt 3", turns: [{ text: "third" }] },
      ],
    });
    const play = (opening: string, turn = 0): string => {
      const { blocks, fault } = player.play(cue(turn, opening));
      const [block] = blocks;
      return block?.type === "text" ? `${block.text} ${fault?.kind ?? ""}` : "";
    };
    expect(play("hello")).toBe("first ");
    expect(play("You begin attempt 2 …")).toBe("any reset");
    expect(play("You begin attempt 3 …")).toBe("third ");
    expect(play("You begin attempt 2 …")).toBe("any ");
    expect(play("You begin attempt 3 …", 1)).toBe(`${END_OF_SCRIPT} `);
  });
});

function cue(turnIndex: number, opening = ""): ScriptCue {
  return { turnIndex, messageCount: 1, opening };
}
