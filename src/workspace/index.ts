/** The files that sessions work on, and their checkpoints. */
export type {
  ChangeCount,
  ChangedFile,
  Checkpoint,
  CheckpointRequest,
  CommitHash,
  CommitRange,
  ComposedEntry,
  ExtraFiles,
  Leftover,
  Origin,
  PackRequest,
  Patch,
  PreparedWorkspace,
  PrepareOptions,
  SkippedFile,
  TreeFiles,
  TreeItem,
  TreeReader,
  UnpackedCommits,
  WorkspaceFiles,
  WorkspaceLimits,
  Workspaces,
  WorkspacesOptions,
} from "./contract.ts";
export { DEFAULT_WORKSPACE_LIMITS, SKIPPED_MAX } from "./contract.ts";
export { unpackCommits } from "./packs.ts";
export { openWorkspaces } from "./workspaces.ts";
