// Notices that a server that went away is there again.

const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 8000;

export class Comeback {
  #timer = 0;
  #wait = 0;
  #card = null;
  #found = null;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#found && this.#plan(0)); // nobody looks at a hidden tab
  }

  /** Call `found` once the server answers, whatever it says; until then ask as long as the card is shown. */
  watch(card, found) {
    this.#card = card;
    this.#found = found;
    this.#wait = FIRST_WAIT_MS;
    this.#plan(this.#wait);
  }

  end() {
    this.#found = null;
    clearTimeout(this.#timer);
  }

  #plan(wait) {
    clearTimeout(this.#timer);
    if (!document.hidden) this.#timer = setTimeout(() => this.#ask(), wait);
  }

  async #ask() {
    if (!this.#card.isConnected) return this.end();
    const found = this.#found;
    const there = await fetch("/health", { cache: "no-store" }).then(() => true, () => false);
    if (found !== this.#found || !this.#card.isConnected) return; // it was ended, or dismissed, in the meantime
    if (!there) {
      this.#wait = Math.min(MAX_WAIT_MS, 2 * this.#wait);
      return this.#plan(this.#wait);
    }
    this.end();
    found();
  }
}
