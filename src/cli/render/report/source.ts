/** What a report is made of. */
import type { Account } from "../../../core/contract/account.ts";
import type { WorkAccount } from "../../../core/report/work.ts";
import type { SessionState } from "../../../core/state.ts";
import type { ChangedFile } from "../../../workspace/contract.ts";

/** What a report is made of. */
export interface ReportSource {
  readonly state: SessionState;
  readonly account: Account;
  readonly work: WorkAccount;
  /** `seq:hash` of the log's end. */
  readonly head: string;
  /** Against the base; null when the files are gone. */
  readonly changed: readonly ChangedFile[] | null;
  /** Wall-clock time: waivers end. */
  readonly now: number;
}
