import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedactor, type TextRedactor } from "./redact.ts";
import { STANDARD_RULES } from "./redaction/rules.ts";

const KNOWN = "correct horse/battery+staple";
const redactor = createRedactor({ secrets: [KNOWN] });

function repeated(text: string, length: number): string {
  return text.repeat(Math.ceil(length / text.length)).slice(0, length);
}

/** Samples are put together here, so that no scanner takes this file for a leak. */
const mixed = (length: number): string => repeated("a1B2c3D4e5F6g7H8", length);
const upper = (length: number): string => repeated("A1B2C3D4", length);
const pem = (body: string): string =>
  `-----BEGIN RSA PRIVATE KEY-----\n${body}\n-----END RSA PRIVATE KEY-----`;

const samples: readonly (readonly [rule: string, text: string, secret: string])[] = [
  ["anthropic-key", `key: sk-ant-${mixed(90)}.`, `sk-ant-${mixed(90)}`],
  ["openai-key", `OPENAI_API_KEY=sk-proj-${mixed(60)}`, `sk-proj-${mixed(60)}`],
  ["openai-key", `sk-${mixed(20)}T3BlbkFJ${mixed(20)}`, mixed(20)],
  ["github-token", `https://ghp_${mixed(36)}@github.com/`, mixed(36)],
  ["url-password", `https://x-access-token:ghp_${mixed(36)}@github.com/`, mixed(36)],
  ["github-token", `"github_pat_${mixed(60)}"`, mixed(60)],
  ["gitlab-token", `glpat-${mixed(20)}`, mixed(20)],
  ["slack-token", `xoxb-${repeated("12345678", 24)}`, repeated("12345678", 24)],
  ["slack-webhook", `https://hooks.slack.com/services/${upper(40)}`, upper(40)],
  ["stripe-key", `sk_live_${mixed(24)}`, mixed(24)],
  ["google-key", `?key=AIza${mixed(35)}&x=1`, mixed(35)],
  ["aws-access-key-id", `AWS_ACCESS_KEY_ID=AKIA${upper(16)}`, upper(16)],
  ["aws-secret-key", `aws_secret_access_key = ${mixed(40)}`, mixed(40)],
  ["aws-secret-key", `{"SecretAccessKey": "${mixed(40)}"}`, mixed(40)],
  ["aws-secret-key", `AWS_SECRET_ACCESS_KEY='${mixed(40)}'`, mixed(40)],
  ["npm-token", `npm_${mixed(36)}`, mixed(36)],
  ["npm-token", `//npm.example/:_authToken=${mixed(36)}`, mixed(36)],
  ["jwt", `token=eyJ${mixed(20)}.eyJ${mixed(40)}.${mixed(43)}`, mixed(43)],
  ["jwt", `{"log":"a\\neyJ${mixed(20)}.eyJ${mixed(40)}.${mixed(43)}"}`, mixed(43)],
  ["private-key", pem(repeated("MIIEow", 64)), repeated("MIIEow", 64)],
  ["private-key", JSON.stringify(pem(repeated("MIIEow", 64))), repeated("MIIEow", 64)],
  ["private-key", `$ head -3 key.pem\n${pem(repeated("MIIEow", 64)).slice(0, 80)}`, repeated("MIIEow", 40)],
  ["bearer-token", `sent bearer ${mixed(32)}`, mixed(32)],
  ["authorization", `curl -H "Authorization: Bearer ${mixed(32)}"`, mixed(32)],
  ["authorization", `{"Authorization": "Basic ${mixed(20)}="}`, mixed(20)],
  ["api-key", `x-api-key: ${mixed(32)}`, mixed(32)],
  ["url-password", "postgres://app:S3cr:tP@ss@db.example/app", "S3cr:tP@ss"],
];

describe("well-known kinds of secrets", () => {
  test.each(samples)("%s in %s", (rule, text, secret) => {
    const redacted = redactor.redact(text);
    expect(redacted).toContain(`[redacted:${rule}]`);
    expect(redacted).not.toContain(secret);
  });

  test("context around a secret stays readable", () => {
    expect(redactor.redact("postgres://app:S3cretPw@db.example/app")).toBe(
      "postgres://app:[redacted:url-password]@db.example/app",
    );
    expect(redactor.redact(`Authorization: Bearer ${mixed(32)}\nAccept: */*`)).toBe(
      "Authorization: Bearer [redacted:authorization]\nAccept: */*",
    );
  });

  test("a secret in the context of another one goes too", () => {
    const redacted = redactor.redact(`https://ghp_${mixed(36)}:s3cretPassw0rd@example.org`);
    expect(redacted).toBe("https://[redacted:github-token]:[redacted:url-password]@example.org");
  });

  test.each([
    "risk-management-and-other-things-in-a-long-kebab-case-name",
    "task-0123456789abcdef0123456789abcdef",
    "https://example.com:8080/path?user=a@b.c",
    "postgres://postgres:postgres@localhost:5432/test",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's variable, not ours
    "https://x-access-token:${GITHUB_TOKEN}@github.com/",
    "Authorization: Bearer $TOKEN",
    "Authorization: Bearer test-token",
    "the bearer of this letter, and the authorization of it",
    "const secretAccessKey = config.secretAccessKey;",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBg\n-----END PUBLIC KEY-----",
    "git@github.com:owner/name.git",
  ])("leaves %s alone, as the same string", (text) => {
    expect(redactor.redact(text)).toBe(text);
  });
});

describe("known secrets", () => {
  const encoded = (text: string): string => Buffer.from(text).toString("base64");
  test.each([
    ["as it is", KNOWN],
    ["base64", encoded(KNOWN)],
    ["base64 after one byte", encoded(`x${KNOWN}`)],
    ["base64 between others", encoded(`user:${KNOWN}:more`)],
    ["base64 for URLs", Buffer.from(`üÿ${KNOWN}`).toString("base64url")],
    ["URL component", encodeURIComponent(KNOWN)],
    ["form field", new URLSearchParams({ key: KNOWN }).toString()],
    ["lower-case escapes", encodeURIComponent(KNOWN).replace(/%../g, (code) => code.toLowerCase())],
  ])("%s", (_how, text) => {
    const redacted = redactor.redact(`before ${text} after`);
    expect(redacted).toContain("[redacted:secret]");
    expect(redacted).toMatch(/^before .* after$/);
    for (const part of [text.slice(4, 16), text.slice(-16, -4)]) expect(redacted).not.toContain(part);
  });

  test("escaped in JSON, also twice", () => {
    const value = 'pass"word\\with\nescapes';
    const escaping = createRedactor({ secrets: [value] });
    const once = JSON.stringify({ value });
    expect(escaping.redact(once)).toBe('{"value":"[redacted:secret]"}');
    expect(escaping.redact(JSON.stringify(once))).toContain("[redacted:secret]");
  });

  test("line by line when the value has several", () => {
    const lines = [mixed(40), upper(40)];
    const several = createRedactor({ secrets: [lines.join("\n")], rules: [] });
    expect(several.redact(`> ${lines[1]}`)).toBe("> [redacted:secret]");
  });

  test("values of less than 8 characters are not looked for", () => {
    expect(createRedactor({ secrets: ["", "abc", "seven77"] }).redact("abc seven77")).toBe("abc seven77");
  });

  test("overlapping findings become one marker", () => {
    const both = createRedactor({ secrets: ["abcdefgh", "efghijkl"], rules: [] });
    expect(both.redact("-abcdefghijkl-")).toBe("-[redacted:secret]-");
  });

  test("a secret that looks like a marker does no harm", () => {
    for (const secret of ["redacted:secret", "[redacted:secret]", "12345678[redac", "12345678["]) {
      const odd = createRedactor({ secrets: [secret, "12345678"] });
      const redacted = odd.redact(`a 12345678 b 12345678[redac c [redacted:secret]`);
      expect(redacted).not.toContain("12345678");
      expect(odd.redact(redacted)).toBe(redacted);
    }
  });
});

/** Texts that are dense in secrets, parts of secrets and markers. */
const secretValues = ["hunter2hunter2", "s p a c e d secret", KNOWN];
const pieces = [
  ...secretValues,
  ...samples.map(([, text]) => text),
  ...STANDARD_RULES.flatMap((rule) => rule.starts),
  "[redacted:jwt]",
  "[redacted:",
  "]",
  " ",
  "\n",
  "ordinary words",
];
const dense: fc.Arbitrary<string> = fc
  .array(
    fc
      .tuple(fc.constantFrom(...pieces), fc.nat(80), fc.boolean())
      .map(([piece, cut, whole]) => (whole ? piece : piece.slice(0, cut))),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("properties", () => {
  const strict = createRedactor({ secrets: secretValues });

  test("redacting twice is redacting once, on the same string object", () => {
    fc.assert(
      fc.property(dense, (text) => {
        const redacted = strict.redact(text);
        expect(strict.redact(redacted)).toBe(redacted);
      }),
      { numRuns: 2000 },
    );
  });

  test("a planted value never survives", () => {
    const planted = fc.tuple(dense, fc.constantFrom(...secretValues), dense);
    fc.assert(
      fc.property(planted, ([before, secret, after]) => {
        const redacted = strict.redact(before + secret + after);
        for (const value of secretValues) expect(redacted).not.toContain(value);
      }),
      { numRuns: 2000 },
    );
  });

  test("every way of cutting a text into chunks gives the same as the whole", () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(dense, cuts, (text, lengths) => {
        expect(inChunks(strict, text, lengths)).toBe(strict.redact(text));
      }),
      { numRuns: 2000 },
    );
  });

  test("any secret at all is found in any text", () => {
    const secret = fc.string({ minLength: 8, maxLength: 60, unit: "grapheme" }).filter(isTelling);
    fc.assert(
      fc.property(fc.string(), secret, fc.string(), (before, value, after) => {
        const single = createRedactor({ secrets: [value], rules: [] });
        const text = `${before} ${value} ${after}`;
        expect(single.redact(text)).toContain("[redacted:secret]");
        expect(inChunks(single, text, [3])).toBe(single.redact(text));
      }),
      { numRuns: 300 },
    );
  });
});

function isTelling(value: string): boolean {
  return value.trim().length >= 8 && !value.includes("[");
}

function inChunks(by: TextRedactor, text: string, lengths: readonly number[]): string {
  const stream = by.stream();
  let result = "";
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    result += stream.push(text.slice(at, at + length));
    at += length;
  }
  return result + stream.end();
}

describe("streams", () => {
  test("ordinary text is hardly held back", () => {
    const stream = redactor.stream();
    const text = repeated("The quick brown fox jumps over the lazy dog. ", 4000);
    let given = 0;
    for (let at = 0; at < text.length; at += 7) {
      given += stream.push(text.slice(at, at + 7)).length;
      expect(Math.min(at + 7, text.length) - given).toBeLessThanOrEqual(3);
    }
    expect(given + stream.end().length).toBe(text.length);
  });

  test("even a hostile text is held back by a bounded amount only", () => {
    const stream = redactor.stream();
    const text = `-----BEGIN PRIVATE KEY-----${repeated("A", 200_000)}`;
    let given = 0;
    for (let at = 0; at < text.length; at += 1000) {
      given += stream.push(text.slice(at, at + 1000)).length;
      expect(at + 1000 - given).toBeLessThan(20_000);
    }
  });
});

describe("speed", () => {
  const hostile = [
    ...STANDARD_RULES.flatMap((rule) => rule.starts),
    ...samples.map(([, text]) => text.slice(0, -2)),
    "-",
    "BEGIN PRIVATE KEY-----",
    "://a:",
    "eyJaaaaaaaa.eyJ",
    "[redacted:",
    "correct horse",
    "\0",
  ];

  test("no text of 256 KB makes it slow", () => {
    const isSlow = (unit: string, runs: number): boolean => fastest(runs, repeated(unit, 1 << 18)) > 40;
    expect(hostile.filter((unit) => isSlow(unit, 1) && isSlow(unit, 10))).toEqual([]);
  });
});

/** The best of several runs: the machine may be busy, the algorithm may not be slow. */
function fastest(runs: number, text: string): number {
  const times = Array.from({ length: runs }, () => {
    const startedAt = performance.now();
    redactor.redact(text);
    return performance.now() - startedAt;
  });
  return Math.min(...times);
}
