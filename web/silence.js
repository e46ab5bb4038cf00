// Notices a microphone from which nothing comes, such as one that is muted in hardware.

const WATCHED_MS = 6000;
const NOTHING = 0.0005; // peak: -66 dB, less than a quiet room gives

export class Silence {
  #report;
  #timer = 0;
  #reported = false;

  /** `report(silent)` is called with true after six silent seconds, and with false once something comes. */
  constructor(report) {
    this.#report = report;
  }

  watch() {
    this.end();
    this.#timer = setTimeout(() => this.#tell(true), WATCHED_MS);
  }

  hear(peak) {
    if (peak <= NOTHING) return;
    clearTimeout(this.#timer);
    if (this.#reported) this.#tell(false);
  }

  end() {
    clearTimeout(this.#timer);
    this.#reported = false;
  }

  #tell(silent) {
    this.#reported = silent;
    this.#report(silent);
  }
}
