// Copies the package beside the page; then load this folder as an unpacked extension (chrome://extensions, developer mode).
import { cpSync, rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
cpSync("node_modules/goldcrest/dist", "dist/goldcrest", { recursive: true });
