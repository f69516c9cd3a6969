/** Calls that the harness answers itself. */
import { DECLARE, HAND_OFF } from "../contract/session-tools.ts";
import { hasSpentVerdicts } from "../contract/verdict-cap.ts";
import type { EventInput } from "../events/index.ts";
import type { CallState, SessionState } from "../state.ts";
import { answeredHere, neverRan } from "./results.ts";

const MAKING = "A verdict is being made; you will be told what it says.";
const NONE_LEFT = "No verdict is left: work rests until a person grants more.";

/** The answer, which never has to wait for anything. */
export function sessionCall(state: SessionState, call: CallState): EventInput {
  const { contract } = state;
  if (call.name === HAND_OFF)
    return answeredHere(
      call,
      "Noted. Whoever goes on in a fresh context will be given it, beside what the log says.",
    );
  if (contract === null) return neverRan(call, "refused", "This session has no contract.");
  if (call.name !== DECLARE) return answeredHere(call, hasSpentVerdicts(contract) ? NONE_LEFT : MAKING);
  const declared = contract.declared.find((each) => each.call === call.call);
  if (declared !== undefined) {
    return answeredHere(
      call,
      `Noted: ${declared.criterion} is ${declared.status}. A person will decide about it. Go on with the other criteria, or end your turn.`,
    );
  }
  const ids = contract.contract.criteria.map(({ id }) => id).join(", ");
  return neverRan(call, "refused", `There is no such criterion. The criteria are: ${ids}.`);
}
