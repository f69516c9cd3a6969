/** Environments: what makes checks run offline. */
export {
  type DependencyPolicy,
  type Ecosystem,
  INNER_LAYER,
  type Layer,
  type LayerPlan,
  type LayerTools,
  type PlanRequest,
  REGISTRY_CONFIG_GLOBS,
  type Registry,
  type Toolchain,
} from "./contract.ts";
export { layerEgress, registryRules } from "./egress.ts";
export { ensureLayer } from "./layer.ts";
export { ecosystemFor, planLayer } from "./plan.ts";
export {
  decideLayer,
  type LayerChange,
  type LayerDecision,
  type LayerQuestion,
} from "./policy.ts";
export { discoverRegistries } from "./registries.ts";
export { LayerStore } from "./store.ts";
export { findPlaceOf, findProgramOf, locateProgram, type ToolchainRequest } from "./toolchain.ts";
