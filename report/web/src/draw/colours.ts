// Colours and patterns. Hue is the term and pattern the role, so a colour-blind reader loses
// nothing: the term is also written down.
import type { Role } from "../model/servers.ts";
import type { Theme } from "../app.ts";

/** After Okabe and Ito, without the red that marks what is broken. */
const TERMS = {
  light: ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#a89000"],
  dark: ["#3d9be0", "#f0b030", "#1fbf8f", "#dd90ba", "#8fd0f5", "#d8c63a"],
};

export interface Palette {
  theme: Theme;
  paper: string;
  ink: string;
  faint: string;
  grid: string;
  dead: string;
  broken: string;
  accent: string;
  log: string;
  commit: string;
  applied: string;
  calls: string[];
}

export const PALETTES: { [theme in Theme]: Palette } = {
  light: {
    theme: "light",
    paper: "#ffffff",
    ink: "#1b1f24",
    faint: "#69717d",
    grid: "#e3e6ea",
    dead: "#b9bec6",
    broken: "#d0021b",
    accent: "#7a2bd6",
    log: "#8b939e",
    commit: "#0b6e4f",
    applied: "#c25e00",
    calls: ["#555c66", "#8e44ad", "#9aa2ad", "#1b1f24", "#0072b2"],
  },
  dark: {
    theme: "dark",
    paper: "#14171c",
    ink: "#e8eaed",
    faint: "#98a1ad",
    grid: "#2a2f37",
    dead: "#4a515c",
    broken: "#ff5a5f",
    accent: "#b98cff",
    log: "#7c8592",
    commit: "#4fd1a1",
    applied: "#ffa657",
    calls: ["#a2abb6", "#c792ea", "#626b78", "#e8eaed", "#6cb8f0"],
  },
};

export function termColour(term: number, theme: Theme): string {
  const hues = TERMS[theme];
  if (!(term > 0)) return theme === "light" ? "#9aa2ad" : "#707a87";
  return hues[(term - 1) % hues.length];
}

/** Black or white, whatever is easier to read on a solid term's colour. */
export function inkOn(term: number, theme: Theme): string {
  const colour = termColour(term, theme);
  const part = (at: number) => Number.parseInt(colour.slice(at, at + 2), 16);
  const light = 0.299 * part(1) + 0.587 * part(3) + 0.114 * part(5);
  return light > 140 ? "#101418" : "#ffffff";
}

/** The fills of a picture: patterns belong to a canvas. */
export class Fills {
  #known = new Map<string, CanvasPattern | string>();

  constructor(
    readonly context: CanvasRenderingContext2D,
    readonly theme: Theme,
  ) {}

  role(role: Role, term: number): CanvasPattern | string {
    const colour = termColour(term, this.theme);
    if (role === "leader") return colour;
    if (role === "candidate") return this.#pattern(colour, "hatch");
    const pale = this.theme === "light" ? "3d" : "58";
    return `${colour}${role === "follower" ? pale : "1a"}`;
  }

  get dots(): CanvasPattern | string {
    return this.#pattern(PALETTES[this.theme].ink, "dots");
  }

  get brokenHatch(): CanvasPattern | string {
    return this.#pattern(`${PALETTES[this.theme].broken}88`, "thin");
  }

  #pattern(colour: string, kind: "hatch" | "dots" | "thin"): CanvasPattern | string {
    const key = `${kind} ${colour}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const brush = tile.getContext("2d");
    if (brush === null) return colour;
    paint(brush, colour, kind);
    const pattern = this.context.createPattern(tile, "repeat") ?? colour;
    this.#known.set(key, pattern);
    return pattern;
  }
}

function paint(brush: CanvasRenderingContext2D, colour: string, kind: string): void {
  brush.fillStyle = brush.strokeStyle = colour;
  if (kind === "dots") {
    brush.fillRect(1, 1, 2, 2);
    brush.fillRect(5, 5, 2, 2);
    return;
  }
  if (kind === "hatch") {
    brush.globalAlpha = 0.22;
    brush.fillRect(0, 0, 8, 8);
    brush.globalAlpha = 1;
  }
  brush.lineWidth = kind === "hatch" ? 2.6 : 1.2;
  brush.beginPath();
  for (const shift of [-8, 0, 8]) {
    brush.moveTo(shift - 1, 9);
    brush.lineTo(shift + 9, -1);
  }
  brush.stroke();
}
