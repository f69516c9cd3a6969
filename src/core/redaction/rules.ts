/**
 * What well-known secrets look like. A rule is a list of steps instead of a regular expression, because two
 * expressions are made of it: one for a whole secret, one for a secret whose end has not arrived yet.
 *
 * Obligations of every rule, which keep redaction linear, idempotent and the same for every way of cutting a text
 * into chunks: each repetition has an upper bound, and no class contains `[` or `]` (a marker ends every match).
 */

/** How every marker begins: `[redacted:<rule>]`. */
export const MARKER_START = "[redacted:";

/** A literal text, or `min` to `max` times the class `of` (source of a regular expression for one character). */
export type RuleStep = string | { readonly of: string; readonly min: number; readonly max: number };

/** One kind of secret. */
export interface RedactionRule {
  /** Lower-case letters, digits and hyphens; stands in the marker: `[redacted:<name>]`. */
  readonly name: string;
  /** How a match begins: one of these texts, 3 characters or more each. */
  readonly starts: readonly string[];
  readonly ignoreCase?: true;
  /** A match may not begin in the middle of a word; for starts that are short and rules that scan far. */
  readonly wordStart?: true;
  /** What follows the start. */
  readonly steps: readonly RuleStep[];
  /** Which steps are the secret (from, to), when start and other steps are context that stays readable. */
  readonly secret?: readonly [from: number, to: number];
  /** The secret must match this as well; sorts out ordinary words. */
  readonly proof?: RegExp;
}

const ALPHANUMERIC = "[A-Za-z0-9]";
const WORD = "[A-Za-z0-9_-]";
const BASE64 = "[A-Za-z0-9+/=]";

/**
 * Executions use texts as stored, so a redacted connection string of a test database would break the work: what
 * stands for a password, or is public anyway, stays.
 */
const NOT_A_PLACEHOLDER =
  /^(?!(?:\$.*|%[A-Z_]+%|\{.*|\*+|x+|postgres|password|passwd|pass|root|admin|test|user|guest|example|changeme|mysql|redis)$)/i;

function some(of: string, min: number, max: number): RuleStep {
  return { of, min, max };
}

/** `name = "`, `"name": "`, `name=`: what stands between a key and its value. */
const assigned: readonly RuleStep[] = [
  some(`[\\\\"']`, 0, 2),
  some("\\s", 0, 4),
  some("[:=]", 1, 1),
  some("\\s", 0, 4),
  some(`[\\\\"']`, 0, 2),
];

const privateKeyEnd: readonly RuleStep[] = ["-----END ", some("[A-Z ]", 0, 40), "PRIVATE KEY-----"];

/** The rules that are in force unless others are given. Vendors' own prefixes first, then contexts. */
export const STANDARD_RULES: readonly RedactionRule[] = [
  { name: "anthropic-key", starts: ["sk-ant-"], steps: [some(WORD, 20, 250)] },
  {
    name: "openai-key",
    starts: ["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-or-v1-"],
    steps: [some(WORD, 20, 250)],
  },
  {
    name: "openai-key",
    starts: ["sk-"],
    steps: [some(ALPHANUMERIC, 20, 20), "T3BlbkFJ", some(ALPHANUMERIC, 20, 20)],
  },
  {
    name: "github-token",
    starts: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
    steps: [some("[A-Za-z0-9_]", 36, 255)],
  },
  { name: "github-token", starts: ["github_pat_"], steps: [some("[A-Za-z0-9_]", 22, 255)] },
  {
    name: "gitlab-token",
    starts: [
      "glpat-",
      "gldt-",
      "glrt-",
      "glcbt-",
      "glptt-",
      "glft-",
      "glimt-",
      "glagent-",
      "glsoat-",
      "gloas-",
    ],
    steps: [some("[A-Za-z0-9_=.-]", 20, 300)],
  },
  {
    name: "slack-token",
    starts: ["xoxa-", "xoxb-", "xoxe-", "xoxe.", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"],
    steps: [some("[A-Za-z0-9.-]", 10, 255)],
  },
  {
    name: "slack-webhook",
    starts: ["hooks.slack.com/"],
    steps: [some("[a-z]", 5, 20), "/", some("[A-Za-z0-9/]", 20, 100)],
    secret: [2, 3],
  },
  {
    name: "stripe-key",
    starts: ["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
    steps: [some(ALPHANUMERIC, 16, 250)],
  },
  { name: "stripe-webhook-secret", starts: ["whsec_"], steps: [some(BASE64, 24, 100)] },
  { name: "google-key", starts: ["AIza"], steps: [some(WORD, 35, 35)] },
  { name: "google-token", starts: ["ya29."], steps: [some(WORD, 20, 1000)] },
  { name: "google-client-secret", starts: ["GOCSPX-"], steps: [some(WORD, 24, 40)] },
  { name: "aws-access-key-id", starts: ["AKIA", "ASIA", "ABIA", "ACCA"], steps: [some("[A-Z0-9]", 16, 16)] },
  {
    name: "aws-secret-key",
    starts: ["secret_access_key", "secretaccesskey", "secret-access-key"],
    ignoreCase: true,
    steps: [...assigned, some(BASE64, 30, 128)],
    secret: [5, 6],
  },
  {
    name: "aws-session-token",
    starts: ["session_token", "sessiontoken"],
    ignoreCase: true,
    steps: [...assigned, some(BASE64, 100, 4000)],
    secret: [5, 6],
  },
  { name: "npm-token", starts: ["npm_"], steps: [some(ALPHANUMERIC, 36, 64)] },
  {
    name: "npm-token",
    starts: ["_authToken", "_password"],
    steps: [some("\\s", 0, 2), "=", some("\\s", 0, 2), some(`["']`, 0, 1), some("[A-Za-z0-9_+/=-]", 8, 4000)],
    secret: [4, 5],
  },
  { name: "pypi-token", starts: ["pypi-AgE"], steps: [some(WORD, 50, 1000)] },
  { name: "huggingface-token", starts: ["hf_"], steps: [some(ALPHANUMERIC, 30, 100)], wordStart: true },
  { name: "groq-key", starts: ["gsk_"], steps: [some(ALPHANUMERIC, 40, 100)] },
  { name: "xai-key", starts: ["xai-"], steps: [some(ALPHANUMERIC, 60, 120)] },
  {
    name: "sendgrid-key",
    starts: ["SG."],
    steps: [some(WORD, 20, 24), ".", some(WORD, 39, 50)],
  },
  {
    name: "digitalocean-token",
    starts: ["dop_v1_", "doo_v1_", "dor_v1_"],
    steps: [some("[a-f0-9]", 64, 64)],
  },
  { name: "docker-token", starts: ["dckr_pat_", "dckr_oat_"], steps: [some(WORD, 20, 64)] },
  { name: "vault-token", starts: ["hvs.", "hvb."], steps: [some(WORD, 24, 300)] },
  {
    name: "jwt",
    starts: ["eyJ"],
    wordStart: true,
    steps: [some(WORD, 8, 2000), ".eyJ", some(WORD, 8, 8000), ".", some(WORD, 10, 1500)],
  },
  {
    name: "private-key",
    starts: ["BEGIN "],
    steps: [
      some("[A-Z ]", 0, 40),
      "PRIVATE KEY-----",
      some("(?:[^\\[\\]-]|-(?!----))", 1, 16_384),
      ...privateKeyEnd,
    ],
  },
  // A key whose end was cut off, by `head` for example.
  {
    name: "private-key",
    starts: ["BEGIN "],
    steps: [
      some("[A-Z ]", 0, 40),
      "PRIVATE KEY-----",
      some("[\\s\\\\nr]", 1, 8),
      some("[A-Za-z0-9+/=\\s\\\\]", 32, 16_384),
    ],
    proof: /^.{1,80}?[A-Za-z0-9+/=]{32}/s,
  },
  {
    name: "bearer-token",
    starts: ["bearer"],
    ignoreCase: true,
    steps: [some("[ \\t]", 1, 4), some("[A-Za-z0-9._~+/=-]", 20, 8000)],
    secret: [1, 2],
    proof: /[0-9]/,
  },
  {
    name: "authorization",
    starts: ["authorization"],
    ignoreCase: true,
    steps: [...assigned, some("[A-Za-z]", 4, 10), some("[ \\t]", 1, 4), some("[A-Za-z0-9._~+/=:-]", 8, 8000)],
    secret: [7, 8],
    proof: /[0-9A-Z=]/,
  },
  {
    name: "api-key",
    starts: ["x-api-key", "x-goog-api-key", "private-token"],
    ignoreCase: true,
    steps: [...assigned, some("[A-Za-z0-9._~+/=-]", 16, 1000)],
    secret: [5, 6],
    proof: /[0-9]/,
  },
  {
    name: "url-password",
    starts: ["://"],
    steps: [some("[^\\s/?#@:\"'<>\\[\\]]", 0, 256), ":", some("[^\\s/?#\"'<>\\[\\]]", 1, 512), "@"],
    secret: [2, 3],
    proof: NOT_A_PLACEHOLDER,
  },
];
