// The hand on the round button, or on the space bar: a tap, or a hold.

const TAP_MS = 300; // a shorter hold is a tap, which says nothing and only stops the reply

export class Press {
  #call;
  #talk;
  #held = false; // with a pointer, whose click means nothing more
  #since = 0;

  /** `talk()` begins a conversation, or adds the microphone to one. */
  constructor(button, call, talk) {
    this.#call = call;
    this.#talk = talk;
    button.onpointerdown = (event) => {
      if (event.button !== 0) return;
      this.#hold(true);
      this.#held = call.holding;
      if (this.#held) button.setPointerCapture(event.pointerId);
    };
    for (const name of ["pointerup", "pointercancel"]) {
      button.addEventListener(name, () => this.#held && this.#hold(false));
    }
    button.onclick = () => {
      if (!this.#held) this.#tap();
      this.#held = false;
    };
    button.oncontextmenu = (event) => event.preventDefault(); // of a long press
  }

  /** The space bar goes down or up. */
  space(down) {
    const { now, microphone, holding } = this.#call;
    if (holding || (now.connection === "open" && microphone === "push")) this.#hold(down);
    else if (down) this.#tap();
  }

  #hold(on) {
    if (on) this.#since = performance.now();
    if (!on && this.#call.holding && performance.now() - this.#since < TAP_MS) this.#call.cancel();
    else this.#call.hold(on);
  }

  /** Do what the state suggests. */
  #tap() {
    const { now, microphone } = this.#call;
    const { connection, user, reply } = now;
    if (connection === "connecting") return;
    if (connection === "lost") return this.#call.retry();
    if (reply !== "none" || user === "finished") return this.#call.interrupt();
    if (microphone === "off") return this.#talk();
    if (microphone === "push") return this.#call.hold(!this.#call.holding); // by a key or a screen reader
    this.#call.mute();
  }
}
