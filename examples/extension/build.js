// Copies the package beside the page; then load this folder as an unpacked extension (chrome://extensions, developer mode).
import { cpSync, rmSync } from "node:fs";

rmSync("goldcrest", { recursive: true, force: true });
cpSync("node_modules/goldcrest/dist", "goldcrest", { recursive: true });
