// An engine drives whatever is due, while this program follows one session and talks to it.
//
//   npx node examples/follow-session.ts
import { createSession, event, follow, openHarness, runEngine, sendEvents, sessionConfig } from "nightshift";
import { createScriptedModel } from "nightshift/model/scripted";
import { systemClock } from "nightshift/runtime";

const say = (text: string) => event("user.message", { content: [{ type: "text", text }] });

const model = createScriptedModel(
  { turns: [{ text: "Ready when you are." }, { text: "Good night, then." }] },
  { clock: systemClock },
);
await using harness = await openHarness({ store: "memory", models: { scripted: model } });
const session = await createSession(
  harness,
  sessionConfig({ model: "scripted:talk", workspace: process.cwd(), tools: [] }),
  [say("Are you there?")],
);

const stop = new AbortController();
const engine = runEngine(harness, { concurrency: 4 }, stop.signal);

let rests = 0;
for await (const item of follow(harness.store, session, { after: 0, signal: stop.signal })) {
  console.log(String(item.seq).padStart(3), item.type);
  if (item.type !== "session.status_idle") continue;
  rests += 1;
  // A message may be sent at any moment, from any process: whoever drives picks it up.
  if (rests === 1) await sendEvents(harness, session, [say("That is all for today.")]);
  else stop.abort();
}
await engine;
