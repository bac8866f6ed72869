// Opens a page from disk in Chromium and uses it as a reader does. Usage: page.mjs HTML [LARGE..]
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [html, ...large] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"],
});

/** A page that must make no request and print nothing. */
async function open(file, hash = "", options = {}) {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, ...options });
  const wrong = [];
  page.on("console", (message) => wrong.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== pathToFileURL(file).href) wrong.push(request.url());
  });
  const begin = performance.now();
  await page.goto(pathToFileURL(file).href + hash);
  await page.waitForFunction(() => globalThis.picture?.frames.length > 0);
  const opened = performance.now() - begin;
  return { page, wrong, opened };
}

const chosen = (page) => page.evaluate(() => globalThis.app.chosen);
const heading = (page) => page.locator("aside h2").first().textContent();
/** Lets the page draw what it was asked for. */
const settle = (page) => page.evaluate(() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(done));
}));

async function step(name, act) {
  await act();
  console.log(`ok - ${name}`);
}

const { page, wrong } = await open(html);

await step("it begins at the violation", async () => {
  assert.match(await page.locator("header").textContent(), /FAIL.*S11.*Where to look/s);
  assert.equal(await page.locator(".evidence tr").count(), 2);
  assert.match(await page.locator(".chosen").textContent(), /evidence 2/);
  await page.locator(".evidence .number").first().click();
  assert.match(await page.locator(".chosen").textContent(), /1 456.405 ms|server 2/);
});

await step("the address leads back to a moment", async () => {
  const hash = await page.evaluate(() => location.hash);
  assert.match(hash, /n=\d+/);
  const again = await open(html, hash);
  assert.equal(await chosen(again.page), await chosen(page));
  assert.deepEqual(again.wrong, []);
  await again.page.close();
});

await step("both axes", async () => {
  await page.getByRole("button", { name: "by event" }).click();
  assert.equal(await page.evaluate(() => globalThis.app.axis), "event");
  await page.getByRole("button", { name: "by time" }).click();
  await page.keyboard.press("a");
  assert.equal(await page.evaluate(() => globalThis.app.axis), "event");
  await settle(page);
});

await step("a click on a call shows its arguments and its reply", async () => {
  const point = await page.evaluate(() => globalThis.picture.pointOf((arrow) => {
    return arrow.style === 1 && !arrow.reply && arrow.end >= 0;
  }));
  const box = await page.locator("#picture canvas").boundingBox();
  await page.mouse.move(box.x + point.x, box.y + point.y);
  assert.match(await page.locator(".tip").textContent(), /RequestVote/);
  await page.mouse.click(box.x + point.x, box.y + point.y);
  const panel = await page.locator(".chosen").textContent();
  assert.match(panel, /RequestVote/);
  assert.match(panel, /candidate_id/);
  assert.match(panel, /vote_granted/);
});

await step("keys step, go to the ends and to the evidence", async () => {
  const before = await chosen(page);
  await page.keyboard.press("n");
  const after = await chosen(page);
  assert.ok(after > before);
  await page.keyboard.press("ArrowLeft");
  assert.equal(await chosen(page), before);
  await page.keyboard.press("End");
  assert.equal(await chosen(page), await page.evaluate(() => globalThis.app.order.at(-1)));
  await page.keyboard.press("Home");
  assert.equal(await chosen(page), 0);
  await page.keyboard.press("e");
  assert.match(await page.locator(".chosen").textContent(), /evidence 1/);
  for (const key of ["+", "+", "-", "f"]) await page.keyboard.press(key);
  await page.keyboard.press("?");
  assert.equal(await page.locator(".help").count(), 1);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".help").count(), 0);
});

await step("search by fields", async () => {
  await page.keyboard.press("/");
  await page.keyboard.type("term=3 vote_granted=true");
  await page.waitForFunction(() => globalThis.app.found.length > 0);
  await page.keyboard.press("Enter");
  assert.match(await page.locator(".chosen").textContent(), /vote_granted/);
  await page.locator("#search").fill("");
  await page.waitForFunction(() => globalThis.app.found.length === 0);
  await page.keyboard.press("Escape");
});

await step("filters by kind and by server", async () => {
  const shown = () => page.evaluate(() => globalThis.app.order.length);
  const all = await shown();
  await page.locator(".filters summary").click();
  await page.getByLabel("heartbeats").uncheck();
  const fewer = await shown();
  assert.ok(fewer < all);
  await page.getByLabel("server 4").uncheck();
  assert.ok((await shown()) < fewer);
  await page.getByLabel("server 4").check();
  await page.getByLabel("heartbeats").check();
  assert.equal(await shown(), all);
  await page.locator(".filters summary").click();
});

await step("why leads back along the causes, and hides what is none", async () => {
  await page.evaluate(() => globalThis.app.choose(globalThis.app.evidence.at(-1)));
  const why = page.locator(".why li");
  assert.ok((await why.count()) > 5);
  const all = await page.evaluate(() => globalThis.app.order.length);
  await page.getByRole("button", { name: "only what led to this" }).click();
  assert.ok((await page.evaluate(() => globalThis.app.order.length)) < all);
  const before = await chosen(page);
  await why.nth(2).locator("button").first().click();
  assert.ok((await chosen(page)) < before);
  await page.keyboard.press("w");
  assert.equal(await page.evaluate(() => globalThis.app.order.length), all);
});

await step("the slider and playing move the moment", async () => {
  await page.locator(".slider input").fill("5000");
  const moment = () => page.evaluate(() => globalThis.app.moment);
  const before = await moment();
  await page.locator(".slider button").click();
  await page.waitForFunction((from) => globalThis.app.moment > from, before);
  await page.locator(".slider button").click();
  await page.evaluate(() => globalThis.app.choose(100));
  assert.notEqual(await heading(page), "");
});

await step("light, dark, narrow and printed", async () => {
  await page.getByTitle("light or dark").click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.setViewportSize({ width: 390, height: 800 });
  await settle(page);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `the page is ${wide} pixels wide`);
  const paper = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  assert.ok(paper.length > 20_000);
});

await step("nothing was printed and nothing was asked of the network", async () => {
  assert.deepEqual(wrong, []);
});
await page.close();

for (const file of large.filter((file) => /odd-/.test(file))) {
  await step(`${file} can be read`, async () => {
    const { page, wrong } = await open(file);
    const keys = ["n", "n", "n", "p", "End", "Home", "e", "a", "+", "f", "w", "w", "?", "Escape"];
    for (const key of keys) await page.keyboard.press(key);
    await page.keyboard.press("/");
    await page.keyboard.type("term>1 a");
    await settle(page);
    for (let at = 0; at < 12; at++) {
      await page.evaluate((event) => globalThis.app.choose(event), at);
      await settle(page);
    }
    assert.notEqual(await page.locator("header h1").textContent(), null);
    assert.deepEqual(wrong, []);
    await page.close();
  });
}

for (const file of large.filter((file) => /odd-odds/.test(file))) {
  await step("the decisive moment is named, drawn and reached by a click", async () => {
    const { page, wrong } = await open(file);
    const text = await page.locator("header").textContent();
    assert.match(text, /Decisive moment: 1 000\.000 ms.*48 of 50 fail.*before it 4 of 50/);
    await page.getByRole("button", { name: "1 000.000 ms" }).click();
    const times = await page.evaluate(() => {
      const { app } = globalThis;
      return [app.model.run.t[app.chosen], app.model.run.t[app.chosen + 1]];
    });
    assert.ok(times[0] <= 1_000_000 && times[1] > 1_000_000, `chose ${times}`);
    await page.getByRole("button", { name: "by time" }).click();
    await settle(page);
    assert.ok(await page.evaluate(() => globalThis.picture.frames.length > 0));
    assert.deepEqual(wrong, []);
    await page.close();
  });
}

for (const file of large.filter((file) => !/odd-/.test(file))) {
  const { page, wrong, opened } = await open(file);
  const figures = await page.evaluate(measure);
  assert.deepEqual(wrong, []);
  const round = (number) => number.toFixed(1);
  console.log(
    `${figures.events} events: open ${opened.toFixed(0)} ms; a frame while panning` +
      ` ${round(figures.middle)} ms (the slowest ${round(figures.worst)}),` +
      ` ${round(figures.rate)} frames a second`,
  );
  await page.close();
}
await browser.close();

/** Pans at three zooms, and returns how long frames took. */
async function measure() {
  const { picture, app } = globalThis;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const all = [];
  let frames = 0;
  let spent = 0;
  for (const part of [1, 10, 100]) {
    const size = app.extent / part;
    picture.frames.length = 0;
    const begin = performance.now();
    for (let at = 0; at < 60; at++) {
      const from = ((app.extent - size) * at) / 60 + (part === 1 ? at / 100 : 0);
      picture.show(from, from + size * 0.98);
      await frame();
    }
    spent += performance.now() - begin;
    frames += 60;
    all.push(...picture.frames);
  }
  all.sort((a, b) => a - b);
  return {
    events: app.model.run.count,
    middle: all[all.length >> 1],
    worst: all.at(-1),
    rate: (frames / spent) * 1000,
  };
}
