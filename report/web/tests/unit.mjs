// Bundles the tests of the TypeScript and gives them to node's test runner.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { build } from "esbuild";

const files = readdirSync("tests/unit").map((file) => `tests/unit/${file}`);
await build({
  entryPoints: files,
  outdir: "target/unit",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  jsx: "automatic",
  jsxImportSource: "preact",
});
const built = readdirSync("target/unit").filter((file) => file.endsWith(".test.mjs"));
const args = ["--test", "--test-reporter=spec", ...built.map((file) => `target/unit/${file}`)];
process.exit(spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1);
