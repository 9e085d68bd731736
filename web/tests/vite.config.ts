import { fileURLToPath } from "node:url";
import { defineConfig, mergeConfig } from "vite";
import page from "../vite.config.js";

// The page as it ships, with the stand-in where the package would be.
export default mergeConfig(
  page,
  defineConfig({
    root: fileURLToPath(new URL("..", import.meta.url)),
    resolve: { alias: { goldcrest: fileURLToPath(new URL("mock/goldcrest.ts", import.meta.url)) } },
    build: { outDir: "tests/mock/dist", emptyOutDir: true },
  }),
);
