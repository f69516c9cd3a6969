/** What all sessions have spent, by day. */
import { NOTHING_SPENT, type Spending } from "../../core/budget/state.ts";
import type { DayCharge } from "../contract.ts";
import { afterCharge, DAYS_KEPT } from "../day-spending.ts";
import type { Connection } from "./connection.ts";

const SELECT_DAY = "SELECT requests, tokens, cost_micro_usd FROM days WHERE day = ?";
const UPDATE_DAY = "UPDATE days SET requests = ?, tokens = ?, cost_micro_usd = ? WHERE day = ?";
const INSERT_DAY = "INSERT INTO days (requests, tokens, cost_micro_usd, day) VALUES (?, ?, ?, ?)";
const DELETE_OLD = `DELETE FROM days
  WHERE day <= (SELECT day FROM days ORDER BY day DESC LIMIT 1 OFFSET ${DAYS_KEPT})`;

/** Nothing for a day that was never charged. */
export function readDay(connection: Connection, day: number): Spending {
  return findDay(connection, day) ?? NOTHING_SPENT;
}

/** Inside a transaction. */
export function chargeDay(connection: Connection, charge: DayCharge): void {
  const { day } = charge;
  const found = findDay(connection, day);
  const { requests, tokens, costMicroUsd } = afterCharge(found ?? NOTHING_SPENT, charge);
  const sql = found === undefined ? INSERT_DAY : UPDATE_DAY;
  connection.statement(sql).run(requests, tokens, costMicroUsd, day);
  if (found === undefined) connection.statement(DELETE_OLD).run();
}

function findDay(connection: Connection, day: number): Spending | undefined {
  const row = connection.statement(SELECT_DAY).get(day);
  if (row === undefined) return undefined;
  const [requests, tokens, costMicroUsd] = row.map(Number);
  return { requests: requests ?? 0, tokens: tokens ?? 0, costMicroUsd: costMicroUsd ?? 0 };
}
