// The smallest whole thing: a session on the memory store with a scripted model. No files, no key, no network.
//
//   npx node examples/hello-session.ts
import { createSession, event, openHarness, sessionConfig, wake } from "nightshift";
import { createScriptedModel } from "nightshift/model/scripted";
import { systemClock } from "nightshift/runtime";

const model = createScriptedModel(
  { turns: [{ text: "Hello! Nothing to do here." }] },
  { clock: systemClock },
);

await using harness = await openHarness({ store: "memory", models: { scripted: model } });

const session = await createSession(
  harness,
  sessionConfig({ model: "scripted:hello", workspace: process.cwd(), tools: [] }),
  [event("user.message", { content: [{ type: "text", text: "Say hello." }] })],
);

// Claims the lease, folds the log, asks the model, appends what it says, and leaves when nothing is owed.
const result = await wake(harness, session);
console.log(`${session} ${result.status}`);

for (const item of await harness.store.getEvents(session, { limit: 100, types: ["agent.message"] })) {
  if (item.type === "agent.message") console.log(item.body.content.map(({ text }) => text).join("\n"));
}
