/** A contract counts by its hash, so the log has to keep it as it is. */
import { contractHash } from "../core/contract/contract.ts";
import { NightshiftError } from "../core/errors.ts";
import type { EventInput } from "../core/events/index.ts";
import { type Redactor, seal } from "../core/seal.ts";

/** @throws NightshiftError `E_CONTRACT_INVALID` when the log would not keep it as it is, or another hash comes with it */
export function checkKept(
  input: EventInput<"contract.sealed"> | EventInput<"control.amend_contract">,
  redactor: Redactor,
): void {
  const { contract, hash } = input.body;
  if (contractHash(contract) !== hash)
    throw new NightshiftError(
      "E_CONTRACT_INVALID",
      "the contract does not have the hash that comes with it",
      {
        hint: "Send the SHA-256 of its canonical JSON, or use `nightshift amend`.",
      },
    );
  const stored = seal(input, redactor).event;
  if (stored.type === input.type && contractHash(stored.body.contract) === hash) return;
  throw new NightshiftError("E_CONTRACT_INVALID", "the contract holds what looks like a secret", {
    hint: "Take keys and passwords out of goal, checks and criteria; a log never keeps them.",
  });
}
