/** What the agent says that it cannot meet, and what a person says to that. */
import { isAbout } from "../contract/declaration.ts";
import type { ContractState } from "../contract/state.ts";
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { SessionState } from "../state.ts";

/** A new declaration takes the place of an older one, and of what a person has said to that. */
export function declarationMade(
  contract: ContractState,
  { body: { criterion, status, reason, call }, seq }: SessionEvent<"contract.declared">,
): ContractState {
  if (!contract.contract.criteria.some(({ id }) => id === criterion)) return contract;
  return {
    ...contract,
    declared: [...without(contract.declared, criterion), { criterion, status, reason, call, seq }],
    denials: without(contract.denials, criterion),
  };
}

/**
 * A denied one counts no more: what the newest verdict made of it is unmet, and one in the making, which may rely on it, is
 * made anew. Whoever agrees with it waives the criterion; an approval changes nothing.
 */
export function declarationDecided(
  state: SessionState,
  contract: ContractState,
  body: EventBody<"approval.decided">,
): SessionState {
  const meant = contract.declared.find((each) => isAbout(body, each));
  if (meant === undefined || body.result === "approve" || state.phase === "terminated") return state;
  const { criterion, status } = meant;
  const denial = { criterion, status, reason: body.reason ?? "", author: body.author };
  const given = contract.given && {
    ...contract.given,
    criteria: contract.given.criteria.map((each) =>
      each.criterion === criterion && each.status === status ? { ...each, status: "unmet" as const } : each,
    ),
  };
  return {
    ...state,
    answerOwed: true,
    contract: {
      ...contract,
      given,
      making: null,
      wanted: contract.wanted ?? contract.making?.reason ?? null,
      declared: without(contract.declared, criterion),
      denials: [...without(contract.denials, criterion), denial],
    },
  };
}

function without<Said extends { readonly criterion: string }>(
  said: readonly Said[],
  criterion: string,
): readonly Said[] {
  return said.filter((each) => each.criterion !== criterion);
}
