/** Tools: what an agent may do. */
export { builtinTools } from "./builtin.ts";
export type { Effect, Tool } from "./contract.ts";
