// Builds dist/: the script of the page, its style, and the hash that lets only this script run.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

await build({
  entryPoints: { page: "src/main.tsx" },
  outdir: "dist",
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "iife",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
});
const script = readFileSync("dist/page.js", "utf8");
// Inside a page either of them would change where the script ends.
if (/<\/script|<!--/i.test(script)) throw new Error("the script holds a tag of HTML");
const hash = createHash("sha256").update(script).digest("base64");
writeFileSync("dist/page.js.sha256", `sha256-${hash}\n`);
