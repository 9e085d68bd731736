// What a visitor of the page does.

/** Chooses SmolLM2 and waits until it answers. */
export async function start(page) {
  await page.getByRole("button", { name: /SmolLM2 135M/ }).click();
  await page.getByRole("button", { name: /start/i }).click();
  await page.getByRole("textbox", { name: "Your message" }).waitFor();
}

/** Asks, and waits for the end of the answer. */
export async function ask(page, text) {
  await page.getByRole("textbox", { name: "Your message" }).fill(text);
  await page.keyboard.press("Enter");
  await page.locator(".answer").last().waitFor();
  await settled(page);
}

/** Waits until no answer is being written. */
export async function settled(page) {
  await page.getByRole("button", { name: "Send" }).waitFor();
  await page.waitForFunction(() => !document.querySelector('.answer[aria-busy="true"]'));
}
