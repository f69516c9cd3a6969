/** Files that look like secrets, by their names. */

const NAMES: readonly RegExp[] = [
  /^\.env(\.(?!example$|sample$|template$|dist$).*)?$/i,
  /\.(pem|key|env|p12|pfx|jks|keystore|kdbx|ppk|tfvars|tfstate)$/i,
  /^id_(rsa|dsa|ecdsa|ed25519)(_sk)?$/,
  /^(\.npmrc|\.yarnrc\.yml|\.pypirc|\.netrc|_netrc|\.git-credentials|\.htpasswd|\.dockercfg|\.pgpass|\.envrc)$/i,
  /^(client_)?(credentials?|secrets?)(\.(json|ya?ml|toml|ini|txt|env|xml|properties))?$/i,
  /^service[-_]?account.*\.json$/i,
  /^kubeconfig$/i,
];

/** Does the last part of the path look like a secret? */
export function isLikelySecret(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return NAMES.some((pattern) => pattern.test(name)) || /(^|\/)(\.aws|\.ssh|\.gnupg)\//.test(path);
}
