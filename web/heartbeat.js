// Notices a dead connection, which the browser itself may not notice for minutes: nothing comes, not even an answer.

const QUIET_MS = 3000; // silence after which to ask for a sign of life
const PATIENCE_MS = 5000; // for it to come
const LATE_MS = 2000; // the lateness of a timer that shows that the page did not run, so that it read nothing, either

export class Heartbeat {
  #ask;
  #dead;
  #asked = false; // nothing has come since
  #timer = 0;
  #due = 0;

  /** `ask()` asks the other side for a sign of life; `dead()` is called, once, if none comes. */
  constructor(ask, dead) {
    this.#ask = ask;
    this.#dead = dead;
  }

  /** A connection is being made, which is the first sign of life to come. */
  begin() {
    this.#asked = true;
    this.#wait(QUIET_MS + PATIENCE_MS);
  }

  /** Something has come. */
  heard() {
    this.#asked = false;
    this.#wait(QUIET_MS);
  }

  /** Ask now, unless an answer is awaited. */
  check() {
    if (this.#asked) return;
    this.#asked = true;
    this.#ask();
    this.#wait(PATIENCE_MS);
  }

  end() {
    clearTimeout(this.#timer);
  }

  #wait(ms) {
    clearTimeout(this.#timer);
    this.#due = performance.now() + ms;
    this.#timer = setTimeout(() => this.#over(), ms);
  }

  #over() {
    if (performance.now() - this.#due > LATE_MS) this.#asked = false;
    if (this.#asked) this.#dead();
    else this.check();
  }
}
