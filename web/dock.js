// The row of controls: microphone, text field, and the buttons that stop the reply and end the conversation.

const NAMES = { off: "Use the microphone", on: "Mute", muted: "Unmute", push: "Mute" };

export class Dock extends EventTarget {
  #parts;

  /** Dispatches "mute", "stop", "end", and "text" with the text in its detail. */
  constructor(form) {
    super();
    const part = (id) => form.querySelector(`#${id}`);
    this.#parts = {
      mute: part("mute"), typed: part("typed"), text: part("text"), stop: part("stop"), end: part("end"),
    };
    for (const name of ["mute", "stop", "end"]) {
      this.#parts[name].onclick = () => this.dispatchEvent(new Event(name));
    }
    form.onsubmit = (event) => {
      event.preventDefault();
      this.#send();
    };
  }

  /** Show what can be done. `takesText`: the model answers typed text. */
  show({ connection, microphone, reply, takesText }) {
    const { mute, typed, text, stop, end } = this.#parts;
    text.placeholder = connection === "off" ? "Message, or just talk…" : "Message…";
    mute.ariaPressed = microphone === "muted";
    mute.ariaLabel = NAMES[microphone];
    mute.title = `${NAMES[microphone]} (M)`;
    typed.hidden = !takesText;
    stop.hidden = reply === "none";
    end.hidden = connection === "off";
  }

  type() {
    this.#parts.text.focus();
  }

  #send() {
    const text = this.#parts.text.value.trim();
    if (!text) return;
    this.#parts.text.value = "";
    this.dispatchEvent(new CustomEvent("text", { detail: text }));
  }
}
