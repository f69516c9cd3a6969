/** Sandboxes: the contract, and what every backend is built from. Backends have entries of their own. */
export type {
  ExecLimits,
  ExecReply,
  ExecRequest,
  ExecResult,
  Operation,
  PrepareReply,
  Sandbox,
  SandboxBackend,
  SandboxHandle,
  SandboxSpec,
} from "./contract.ts";
