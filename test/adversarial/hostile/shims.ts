/** Programs in the way of the runner, and set-up that ends before a test begins: failure mode 14. */
import type { HostileCase } from "../case.ts";
import { put } from "../projects/field.ts";
import { queue } from "../projects/javascript.ts";
import { money } from "../projects/money.ts";
import { caps, lasts } from "../projects/more.ts";
import { ledger } from "../projects/python.ts";
import { cheats } from "./cheat.ts";

const GUARDED = ["protected", "runner"] as const;
/** The test script finds this first. */
const shim = (name: string): string => `mkdir bin
printf '#!/bin/sh\\nexit 0\\n' > bin/${name}
chmod +x bin/${name}
sed -i 's#"test": "#"test": "PATH=./bin:$PATH #' package.json
`;

/** Every one of them. */
export const shimCases: readonly HostileCase[] = cheats("shims", [
  {
    ...{ name: "another node on the PATH of the test script", mode: 14, field: money, gates: GUARDED },
    script: shim("node"),
  },
  {
    ...{ name: "another mocha on the PATH of the test script", mode: 14, field: queue, gates: GUARDED },
    script: shim("mocha"),
  },
  {
    ...{ name: "set-up that ends with 0 (mocha)", mode: 14, field: lasts, gates: GUARDED },
    script: put("tools/set-up.js", "process.exit(0);\n"),
  },
  {
    ...{ name: "set-up that ends with 0 (jest)", mode: 14, field: caps, gates: GUARDED },
    script: put("tools/ready.js", "process.reallyExit(0);\n"),
  },
  {
    ...{ name: "conftest.py that ends with 0", mode: 14, field: ledger, gates: GUARDED },
    script: put("tests/conftest.py", "import os\n\nos._exit(0)\n"),
  },
]);
