/** pip, Cargo and Go: the real clients, on packages of a registry on loopback. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { missing, openPlace, type Place } from "./place.ts";

let place: Place | undefined;

afterEach(() => {
  place?.close();
  place = undefined;
});

describe("pip", () => {
  test("sets a project up from wheels and runs its check offline", async (context) => {
    const reason = missing("python3");
    if (reason !== undefined) context.skip(reason);
    place = await openPlace();
    const { sha256 } = place.packages.addWheel("greeter", "1.2.3", {
      "greeter/__init__.py": "WORD = 'hello'\n",
    });
    place.packages.addWheel("helper", "0.1", { "helper.py": "" });
    place.write({
      "requirements.txt": `-r requirements/base.txt\nhelper==0.1\n`,
      "requirements/base.txt": "# what we need\ngreeter==1.2.3  # the best\n",
      "src/project/__init__.py": "from greeter import WORD\n",
      "test_project.py": "import project, helper; print('project says', project.WORD)",
    });
    const layer = await place.ensure(["python3", "-m", "pytest"]);
    const { output, exitCode } = await place.run(layer, "python3 test_project.py");
    expect(output).toContain("project says hello");
    expect(exitCode).toBe(0);
    expect((await place.run(layer, "python3 -m pip install x")).exitCode).not.toBe(0);
    expect((await place.run(layer, "touch /layer/venv/x")).output).toContain("Read-only");
    place.write({ "requirements.txt": `greeter==1.2.3 --hash=sha256:${sha256.replace(/^./, "0")}\n` });
    if (sha256.startsWith("0")) return;
    await expect(place.ensure(["pytest"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
  });

  test.each([
    "git+https://git.test/x.git",
    "x @ https://evil.test/x.whl",
    "https://evil.test/x.whl",
    "-e .",
    "./x",
    "--index-url https://evil.test/simple",
    "--extra-index-url https://evil.test/simple",
    "-f /wheels",
    "-r ../other.txt",
    "--install-option=x",
  ])("refuses %s", async (line) => {
    place = await openPlace();
    place.write({ "requirements.txt": `${line}\n` });
    await expect(place.plan(["pytest"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
  });
});

describe("Cargo", () => {
  function writeCrates(opened: Place, checksum: string): void {
    const source = "registry+https://index.test/crates.io-index";
    const lock = [
      "version = 3",
      ...["", "[[package]]", 'name = "greeter"', 'version = "1.2.3"'],
      ...[`source = "${source}"`, `checksum = "${checksum}"`],
      ...["", "[[package]]", 'name = "project"', 'version = "0.1.0"', 'dependencies = [\n "greeter",\n]', ""],
    ];
    opened.write({
      "Cargo.toml":
        '[package]\nname = "project"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\ngreeter = "1.2.3"\n',
      "Cargo.lock": lock.join("\n").replace("https://index.test", "https://github.com/rust-lang"),
      "src/main.rs": 'fn main() { println!("{}", greeter::word()); }',
      "build.rs": "fn main() {}",
    });
  }

  test("vendors crates and builds offline", async (context) => {
    const reason = missing("cargo", "cc");
    if (reason !== undefined) context.skip(reason);
    place = await openPlace();
    const checksum = place.packages.addCrate("greeter", "1.2.3", {
      "Cargo.toml": '[package]\nname = "greeter"\nversion = "1.2.3"\nedition = "2021"\n',
      "src/lib.rs": 'pub fn word() -> &\'static str { "hello" }',
    });
    writeCrates(place, checksum);
    const layer = await place.ensure(["cargo", "test"]);
    const { output, exitCode } = await place.run(
      layer,
      "CARGO_TARGET_DIR=/tmp/target cargo run --quiet --locked",
    );
    expect(output).toContain("hello");
    expect(exitCode).toBe(0);
    writeCrates(
      place,
      checksum.replace(/^./, (digit) => (digit === "0" ? "1" : "0")),
    );
    await expect(place.ensure(["cargo", "test"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
  });

  test("refuses other sources", async () => {
    place = await openPlace();
    writeCrates(place, "0".repeat(64));
    for (const source of ["git+https://git.test/x#abc", "registry+https://evil.test/index"]) {
      place.write({ "Cargo.lock": `[[package]]\nname = "x"\nversion = "1.0.0"\nsource = "${source}"\n` });
      await expect(place.plan(["cargo", "test"]), source).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
    }
    place.write({
      "Cargo.lock": "",
      ".cargo/config.toml": '[source.x]\nregistry = "https://evil.test/index"\n',
    });
    await expect(place.plan(["cargo", "test"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
    place.write({ ".cargo/config.toml": "", "Cargo.toml": '[dependencies]\nx = { path = "../x" }\n' });
    await expect(place.plan(["cargo", "test"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
  });
});

describe("Go", () => {
  test("fetches modules and builds offline", async (context) => {
    const reason = missing("go");
    if (reason !== undefined) context.skip(reason);
    place = await openPlace();
    const sums = place.packages.addModule("words.test/greeter", "v1.2.3", {
      "go.mod": "module words.test/greeter\n\ngo 1.18\n",
      "greeter.go": 'package greeter\n\nfunc Word() string { return "hello" }\n',
    });
    place.write({
      "go.mod": "module project.test/project\n\ngo 1.18\n\nrequire words.test/greeter v1.2.3\n",
      "go.sum": sums,
      "main.go": 'package main\n\nimport "words.test/greeter"\n\nfunc main() { println(greeter.Word()) }\n',
    });
    const layer = await place.ensure(["go", "test", "./..."]);
    const { output, exitCode } = await place.run(layer, "go run .");
    expect(output).toContain("hello");
    expect(exitCode).toBe(0);
    place.write({ "go.sum": sums.replaceAll(/h1:...../g, "h1:AAAAA") });
    await expect(place.ensure(["go", "test"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
    expect(readdirSync(join(place.root, "layers", "making"))).toEqual([]);
  });

  test("refuses folders elsewhere and modules without sums", async () => {
    place = await openPlace();
    place.write({ "go.mod": "module x.test/x\n\nreplace a.test/a => ../a\n" });
    await expect(place.plan(["go", "test"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
    place.write({ "go.mod": "module x.test/x\n\nrequire a.test/a v1.0.0\n" });
    await expect(place.plan(["go", "test"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
  });
});
