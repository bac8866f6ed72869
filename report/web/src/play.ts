// Lets time run: the part in sight passes in some 20 seconds.
import type { App } from "./app.ts";
import type { Picture } from "./draw/picture.ts";

const SECONDS = 20;

export function startPlaying(app: App, picture: Picture): void {
  let before = 0;
  const tick = (now: number) => {
    if (!app.playing) {
      before = 0;
      return;
    }
    const [from, to] = picture.sight;
    const passed = before === 0 ? 0 : Math.min(now - before, 100) / 1000;
    before = now;
    app.moveTo(app.moment + ((to - from) / SECONDS) * app.speed * passed);
    if (app.moment >= app.extent) {
      app.playing = false;
      app.changed();
    }
    requestAnimationFrame(tick);
  };
  let running = false;
  app.listen(() => {
    if (app.playing && !running) requestAnimationFrame(tick);
    running = app.playing;
  });
}
