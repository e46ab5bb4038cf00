// The round button: its shape tells the state, and its size and bars follow the real levels.

const FALL = 0.88; // what is left of a level after one frame at 60 Hz: it rises at once, and falls in 0.2 s
const STEPS = 3; // sizes, where the user wants little motion
const BARS = 3; // heights; the outer bars repeat the middle one a little later
const DELAY = 3; // frames between two bars
const MOVES = new Set(["listening", "hearing", "waiting", "speaking"]);

export class Orb {
  #button;
  #levels;
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #state = "off";
  #frame = 0;
  #level = 0;
  #past = [];

  /** `levels()` returns {microphone, loudspeaker}: peaks from 0 to 1 at this moment. */
  constructor(button, levels) {
    this.#button = button;
    this.#levels = levels;
  }

  show(state) {
    this.#state = state;
    this.#button.dataset.state = state;
    if (MOVES.has(state)) this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** The ring closes in this time while the program waits for the user to go on. */
  wait(ms) {
    this.#button.style.setProperty("--wait", `${ms}ms`);
  }

  #draw() {
    const { microphone, loudspeaker } = this.#levels();
    const peak = Math.sqrt(this.#state === "speaking" ? loudspeaker : microphone);
    this.#level = Math.max(peak, this.#level * FALL);
    this.#past = [this.#level, ...this.#past].slice(0, BARS * DELAY);
    this.#set("--level", this.#level);
    for (let bar = 0; bar < BARS; bar++) this.#set(`--bar-${bar}`, this.#past[bar * DELAY] ?? 0);
    this.#frame = MOVES.has(this.#state) ? requestAnimationFrame(() => this.#draw()) : 0;
  }

  #set(name, level) {
    const shown = this.#still.matches ? Math.round(level * STEPS) / STEPS : level;
    this.#button.style.setProperty(name, shown.toFixed(3));
  }
}
