import { useEffect, useState } from "preact/hooks";
import type { App } from "../app.ts";

/** Draws a component again when the app changes; while the moment moves, a few times a second. */
export function useApp(app: App): void {
  const [, setVersion] = useState(0);
  useEffect(() => {
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const again = () => {
      waiting = undefined;
      setVersion((version) => version + 1);
    };
    const stop = app.listen((what) => {
      if (what === "all") again();
      else waiting ??= setTimeout(again, 80);
    });
    // It may have changed before this began to listen.
    again();
    return () => {
      stop();
      clearTimeout(waiting);
    };
  }, [app]);
}
