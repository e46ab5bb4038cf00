// Notices a microphone from which nothing comes, such as one that is muted in hardware. One that was heard once is
// trusted: behind a noise gate, it is silent whenever the user is.

const WATCHED_MS = 6000;
const NOTHING = 0.0005; // peak: -66 dB, less than a quiet room gives

export class Silence {
  #report;
  #timer = 0;
  #heard = false; // something came in this conversation
  #reported = false;

  /** `report(silent)` is called with true after six silent seconds, and with false once something comes. */
  constructor(report) {
    this.#report = report;
  }

  watch() {
    clearTimeout(this.#timer);
    if (this.#heard) return;
    this.#timer = setTimeout(() => this.#tell(true), WATCHED_MS);
  }

  hear(peak) {
    if (peak <= NOTHING) return;
    this.#heard = true;
    clearTimeout(this.#timer);
    if (this.#reported) this.#tell(false);
  }

  end() {
    clearTimeout(this.#timer);
    this.#heard = this.#reported = false;
  }

  #tell(silent) {
    this.#reported = silent;
    this.#report(silent);
  }
}
