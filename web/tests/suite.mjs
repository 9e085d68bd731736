import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, open } from "../../tests/browser/chromium.js";
import { headersOf, serve } from "../../tests/browser/server.js";

/** The page as it ships, with the stand-in engine. */
const TEST_BUILD = fileURLToPath(new URL("mock/dist", import.meta.url));

/** A server and a browser for the tests of a file. `page(name, options, body)` adds a test that ends without faults;
 * of its options, `mock` is how the stand-in behaves. */
export function suite() {
  let server;
  let browser;
  before(async () => {
    server = await serve({ folders: { "/": TEST_BUILD }, headers: await headersOf(TEST_BUILD) });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
  return (name, { mock, ...options }, body) =>
    test(name, async () => {
      const opened = await open(browser, server.url, { ...options, init: mock && [(behaviour) => (window.mock = behaviour), mock] });
      try {
        await body(opened.page, { ...opened, url: server.url, stop: () => server.close() });
        assert.deepEqual(opened.faults, []);
      } finally {
        await opened.profile.close();
      }
    });
}
