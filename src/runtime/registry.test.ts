import { expect, test } from "vitest";
import {
  createModelAdapter,
  createSandboxBackend,
  createWorker,
  openIntegrity,
  openStore,
} from "./registry.ts";
import { systemClock } from "./system.ts";

const storeParts = {
  folder: "",
  clock: systemClock,
  probe: { isDead: () => false },
  writer: "inline",
} as const;
const modelParts = {
  provider: "acme",
  id: "one",
  key: () => "key",
  baseUrl: undefined,
  outputCapField: undefined,
  clock: systemClock,
};

const SANDBOXES = "process, bubblewrap, docker";

test.each([
  ["store", (name: string) => openStore(name, storeParts), "memory, sqlite"],
  ["store", (name: string) => openIntegrity(name, "/nowhere"), "sqlite"],
  ["sandbox", (name: string) => createSandboxBackend(name, { folder: "/nowhere" }), SANDBOXES],
  [
    "model",
    (name: string) => createModelAdapter(name, modelParts),
    "scripted, anthropic, google, openai-compatible",
  ],
])("an unknown %s backend is refused with the names there are", async (seam, make, names) => {
  for (const name of ["moon", "toString", "__proto__", ""]) {
    await expect(make(name)).rejects.toMatchObject({
      code: "E_BACKEND_UNKNOWN",
      message: `there is no ${seam} backend "${name}"; there are ${names}`,
    });
  }
});

test("backends are made by name", async () => {
  const store = await openStore("memory", storeParts);
  expect(store.kind).toBe("memory");
  await store.close();
  const model = await createModelAdapter("anthropic", modelParts);
  expect(model.provider).toBe("anthropic");
  expect((await createWorker("loop", { model, tools: new Map(), clock: systemClock })).kind).toBe("loop");
  const compatible = { ...modelParts, baseUrl: "http://127.0.0.1:1/v1" };
  expect((await createModelAdapter("openai-compatible", compatible)).provider).toBe("acme");
});

test("a server that nobody has an address for is refused", async () => {
  await expect(createModelAdapter("openai-compatible", modelParts)).rejects.toMatchObject({
    code: "E_CONFIG",
  });
});
