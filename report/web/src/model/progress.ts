// Where a run that failed for lack of progress made its last progress.
import type { Model } from "./model.ts";

/** Classes of failures that say what did not happen. */
const STANDSTILLS = ["liveness", "timeout", "deadlock", "spin"];

/** The last event at which a server applied an entry, raised its commit index or began to lead. */
export function lastProgress(model: Model): number {
  let last = -1;
  for (const { shown } of model.tracks) {
    for (let place = shown.length - 1; place > 0 && shown[place].event > last; place--) {
      const [now, before] = [shown[place], shown[place - 1]];
      const led = now.role === "leader" && (before.role !== "leader" || before.term !== now.term);
      const rose = now.commit > before.commit || now.applied > before.applied;
      if (now.up && (led || rose)) {
        last = now.event;
        break;
      }
    }
  }
  for (let event = model.run.count - 1; event > last; event--) {
    if (model.run.kind(event) === "applied") return event;
  }
  return last;
}

/** The same for a run that failed because it stood still; -1 for another one. */
export function standstillOf(model: Model): number {
  const failure = model.failure;
  return failure !== null && STANDSTILLS.includes(failure.class) ? lastProgress(model) : -1;
}
