/** Facts about the branch: a positive verdict and a person's wish are what asks for it. */
import { branchName } from "../branch/name.ts";
import type { BranchState, WantedBranch } from "../branch/state.ts";
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { SessionState } from "../state.ts";

const NOTHING: BranchState = { wanted: null, published: null };

/** Notes `branch.*`, `control.publish`, and what a verdict asks for. */
export function reduceBranch(state: SessionState, event: SessionEvent): SessionState {
  const { branch = NOTHING } = state;
  switch (event.type) {
    case "verdict.given":
      return wantedByVerdict(state, event);
    case "control.publish":
      return wantedByPerson(state, event);
    case "branch.published": {
      const { branch: name, commit, source } = event.body;
      if (!isWanted(branch, event.body)) return state;
      const verdict = branch.wanted?.verdict ?? null;
      return { ...state, branch: settled(branch, { branch: name, commit, source, verdict }) };
    }
    case "branch.refused":
      return isWanted(branch, event.body) ? { ...state, branch: settled(branch, branch.published) } : state;
    case "contract.amended":
      if (state.branch === undefined) return state;
      // What it says of itself it says of the old text.
      return { ...state, branch: ofOldContract(branch) };
    case "session.forked":
      return state.branch === undefined ? state : { ...state, branch: NOTHING };
    default:
      return state;
  }
}

function ofOldContract({ wanted, next, published }: BranchState): BranchState {
  return {
    wanted: untold(wanted),
    ...(next !== undefined && { next: untold(next) }),
    published: untold(published),
  };
}

/** What was wanted meanwhile has its turn. */
function settled({ next }: BranchState, published: BranchState["published"]): BranchState {
  return { wanted: next ?? null, published };
}

function wants(branch: BranchState, wanted: WantedBranch): BranchState {
  return branch.wanted === null ? { ...branch, wanted } : { ...branch, next: wanted };
}

function untold<Told extends { readonly verdict: number | null } | null>(told: Told): Told {
  return told === null ? told : { ...told, verdict: null };
}

function isWanted(
  { wanted }: BranchState,
  { branch, source }: Pick<EventBody<"branch.published">, "branch" | "source">,
): boolean {
  return wanted?.branch === branch && wanted.source === source;
}

/** Only of sessions that were promised one: those of older releases have none. */
function wantedByVerdict(state: SessionState, { seq }: SessionEvent<"verdict.given">): SessionState {
  const { branch = NOTHING, contract, config, sessionId } = state;
  const checkout = config?.sandbox.checkout;
  if (checkout?.branch === undefined || contract?.given?.seq !== seq) return state;
  const { outcome, commit: source, number: verdict } = contract.given;
  // One that was published before anybody had verified the same files says of itself that they are not.
  const isTold = source === branch.published?.source && branch.published.verdict !== null;
  if (outcome !== "met" || source === checkout.base || isTold) return state;
  const wanted = { seq, branch: branchName(checkout.branch, sessionId), source, verdict };
  return { ...state, branch: wants(branch, wanted) };
}

/** Whatever is saved, verified or not. */
function wantedByPerson(state: SessionState, { seq, body }: SessionEvent<"control.publish">): SessionState {
  const { branch = NOTHING, contract, config, workspace, sessionId } = state;
  if (workspace === null) return state;
  const { commit: source } = workspace.saved;
  const given = contract?.given;
  const isInForce = contract?.amendment === null && given?.contractHash === contract.hash;
  const isMet = isInForce && given?.outcome === "met" && given.commit === source;
  const own = branchName(config?.sandbox.checkout?.branch ?? "work", sessionId);
  const wanted = { seq, branch: body.branch ?? own, source, verdict: isMet ? given.number : null };
  return { ...state, branch: wants(branch, wanted) };
}
