// Serves the script file at argv[2] until it is killed; prints its address.
import { serveScriptFile } from "../../src/model/scripted-server.ts";
import { systemClock } from "../../src/runtime/system.ts";

await serveScriptFile(process.argv[2] ?? "", {
  clock: systemClock,
  port: 0,
  signal: new AbortController().signal,
  onListening: (url) => console.log(url),
});
