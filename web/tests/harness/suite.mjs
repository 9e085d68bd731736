import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, open } from "./browser.mjs";
import { serve } from "./server.mjs";

/** The page as it ships, with the stand-in engine. */
export const TEST_BUILD = fileURLToPath(new URL("../mock/dist", import.meta.url));

/** A server and a browser for the tests of a file. `page(name, options, body)` adds a test that ends without faults. */
export function suite() {
  let server;
  let browser;
  before(async () => {
    server = await serve(TEST_BUILD);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
  return (name, options, body) =>
    test(name, async () => {
      const opened = await open(browser, server.url, options);
      try {
        await body(opened.page, { ...opened, url: server.url, stop: () => server.close() });
        assert.deepEqual(opened.faults, []);
      } finally {
        await opened.profile.close();
      }
    });
}
