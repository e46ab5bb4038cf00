// The hand on the round button, or on the space bar: a tap, or a hold.

export class Press {
  #call;
  #talk;
  #held = false; // with a pointer, whose click means nothing more

  /** `talk()` begins a conversation, or adds the microphone to one. */
  constructor(button, call, talk) {
    this.#call = call;
    this.#talk = talk;
    button.onpointerdown = (event) => {
      if (event.button !== 0) return;
      call.hold(true);
      this.#held = call.holding;
      if (this.#held) button.setPointerCapture(event.pointerId);
    };
    for (const name of ["pointerup", "pointercancel"]) {
      button.addEventListener(name, () => this.#held && call.hold(false));
    }
    button.onclick = () => {
      if (!this.#held) this.#tap();
      this.#held = false;
    };
    button.oncontextmenu = (event) => event.preventDefault(); // of a long press
  }

  /** The space bar goes down or up. */
  space(down) {
    const { now, microphone } = this.#call;
    if (now.connection === "open" && microphone === "push") this.#call.hold(down);
    else if (down) this.#tap();
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
