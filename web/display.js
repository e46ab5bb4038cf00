// What the page shows of the situation: the round button, the state in words, a hint, and what can be done.

import { WORDS } from "./state.js";
import { keepAwake } from "./wake.js";

const MODEL_AWAY = { word: "Model offline", hint: "Its server cannot be reached, so it hears nothing. Trying again…" };
const HINTS = {
  off: "or type a message below", connecting: "",
  listening: "You can speak at any time, even while it speaks",
  hearing: "", waiting: "Go on, I am listening", thinking: "",
  speaking: "Tap, or just talk, to interrupt",
  muted: "Tap to be heard again",
  ready: matchMedia("(pointer: coarse)").matches
    ? "Hold it while you talk"
    : "Hold it, or the space bar, while you talk",
  offline: "Trying again. Tap to try now.",
};

const part = (id) => document.getElementById(id);

export class Display {
  #page;

  /** `page` holds call, orb, dock and transcript. */
  constructor(page) {
    this.#page = page;
  }

  render() {
    const { call, orb, dock, transcript } = this.#page;
    const { state, connection, microphone, reply } = call.now;
    const word = wordOf(call);
    orb.show(state);
    part("state").dataset.state = state;
    for (const id of ["state", "word"]) part(id).textContent = word;
    part("hint").textContent = hint(call);
    dock.show({ connection, microphone, reply, takesText: call.server.takes_text });
    document.title = connection === "off" ? "Speech to speech" : `${word} · Speech to speech`;
    document.body.classList.toggle("empty", transcript.empty);
    document.body.classList.toggle("holds", microphone === "push");
    part("clear").hidden = transcript.empty;
    part("copy").hidden = transcript.empty || !navigator.clipboard; // secure pages only
    keepAwake(connection !== "off");
  }

  /** Say something to users of screen readers, after what they are reading. */
  announce(text) {
    part("announcement").textContent = text;
  }
}

const modelAway = ({ modelAway, connection }) => modelAway && connection === "open";

function wordOf({ resumes, now }) {
  if (resumes && now.connection === "off") return "Tap to go on";
  return modelAway(now) ? MODEL_AWAY.word : WORDS[now.state];
}

function hint({ asking, now, microphone }) {
  if (asking) return "Allow the microphone if you are asked";
  if (modelAway(now)) return MODEL_AWAY.hint;
  return now.state === "speaking" && microphone !== "on" ? "Tap to interrupt" : HINTS[now.state];
}
