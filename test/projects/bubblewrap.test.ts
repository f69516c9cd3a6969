import { describe } from "vitest";
import { proveProjects } from "./prove.ts";

describe("real projects in bubblewrap", () => proveProjects("bubblewrap"));
