// A harness that does one thing to one sandbox, so that it can be killed while it does.
import { createBackend, type Kind, SANDBOX, specOf } from "./scene.ts";

const [kind, action, place = ""] = process.argv.slice(2);
const backend = createBackend(kind as Kind, place);
if (action === "provision") await backend.provision(specOf(place), new AbortController().signal);
else await backend.destroy(SANDBOX, undefined);
