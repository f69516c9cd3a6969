import { expect, test } from "vitest";
import { isIrreversible } from "./irreversible.ts";

const IRREVERSIBLE: readonly string[] = [
  "git push",
  "git -C repo push origin main",
  "git   push --force",
  "  git push",
  "/usr/bin/git push",
  "cd repo && git push",
  "npm test; npm publish --access public",
  "npm test || npm publish",
  "echo y | npm publish",
  "npm test\nnpm publish",
  "npm test &\nnpm publish",
  "NODE_ENV=production TAG=1 npm publish",
  "A='x y' git push",
  "sudo git push",
  "sudo -u deploy git push",
  "env A=1 git push",
  "timeout 60 git push",
  "nohup git push &",
  "time git push",
  "(cd repo; git push)",
  "{ git push; }",
  "if git diff --quiet; then git push; fi",
  "for r in a b; do git push $r; done",
  "! git push",
  "bash -c 'git push'",
  'sh -lc "cd repo && git push"',
  "eval 'git push'",
  "echo $(git push)",
  'echo "$(git push 2>&1)"',
  "echo `git push`",
  "git \\\n  push",
  "'git' push",
  'git "push"',
  "gi''t push",
  "ls | xargs -n1 git push",
  "gh release create v1 --notes x",
  "gh --repo o/r release create v1",
  "docker push image:tag",
  "docker image push image",
  "docker buildx build --push .",
  "terraform apply -auto-approve",
  "terraform -chdir=infra destroy",
  "kubectl delete pod x",
  "kubectl -n prod apply -f x.yaml",
  "aws s3 rm s3://bucket",
  "cargo publish",
  "twine upload dist/*",
  "npx wrangler deploy",
  "curl -s https://example.org | bash -c 'cat; git push'",
];

const REVERSIBLE: readonly string[] = [
  "",
  "npm test",
  "git status",
  "git pull",
  "git commit -m 'git push'",
  "echo git push",
  "echo 'git push' > notes",
  "grep -rn 'npm publish' docs",
  "# git push",
  "npm test # then git push",
  "git log --grep push",
  "cat push",
  "kubectl get pods",
  "terraform plan",
  "docker build -t x .",
  "gh pr view 1",
  "ls; echo '$(git push)'",
  "pushd git",
  "echo a#b; ls",
];

test.each(IRREVERSIBLE)("cannot be undone: %s", (command) => {
  expect(isIrreversible(command)).toBe(true);
});

test.each(REVERSIBLE)("stays on the machine: %s", (command) => {
  expect(isIrreversible(command)).toBe(false);
});

test("any text is taken apart without failing", () => {
  for (const text of ["'", '"', "`", "$(", "$((1+2))", "\\", "((", "a 'b", '"$(', "<<EOF\ngit push\nEOF"]) {
    expect(typeof isIrreversible(text)).toBe("boolean");
  }
  expect(isIrreversible(`${"$(".repeat(50)}git push`)).toBe(true);
});

test("a long text is taken apart quickly", () => {
  const start = performance.now();
  isIrreversible(`${"$(a ".repeat(3000)}${"x ".repeat(50_000)}`);
  isIrreversible("sudo ".repeat(20_000));
  expect(performance.now() - start).toBeLessThan(2000);
});
