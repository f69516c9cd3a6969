// Reads a naive log in a process that has done nothing else.
import { resumeNaively } from "./naive.ts";
import { answer, childArgument } from "./processes.ts";

const { path } = childArgument<{ readonly path: string }>();
const startedMs = performance.now();
const messages = resumeNaively(path);
answer({ ms: performance.now() - startedMs, messages });
