/**
 * A private copy of the files of a state folder. Even opening a damaged database would change it: SQLite recovers
 * the WAL, moves it into the database and deletes it. So `fsck` never opens the original; it reads the files as
 * bytes, and everything else happens to the copy.
 */
import { closeSync, constants, copyFileSync, existsSync, mkdtempSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isNightshiftError, messageOf, NightshiftError } from "../../core/errors.ts";
import { asSessionId, type Sequence, type SessionId } from "../../core/ids.ts";
import type { LogProblem } from "../contract.ts";
import { blobMissing } from "../failures.ts";
import type { ImageEvent, ImageHead, ImageSession, LogImage } from "../integrity/contract.ts";
import { type OpenDatabase, openDatabase, type SqlDatabase, type SqlRow, type SqlValue } from "./database.ts";
