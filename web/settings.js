// The settings: a sheet whose values the browser keeps.

import { make } from "./elements.js";
import { Choice, Control } from "./fields.js";
import { named } from "./languages.js";
import { Loudspeaker } from "./loudspeaker.js";
import { Microphone } from "./microphone.js";
import { Sheet } from "./sheet.js";
import { keep, kept } from "./store.js";
import { keepToken, readToken } from "./token.js";
import { Voices } from "./voices.js";

const DEFAULTS = {
  microphone: "", loudspeaker: "", volume: 1, voice: "", language: "", hands: "free", mode: "turn",
  patience: "normal", instructions: "", captions: "normal", theme: "auto",
};
const HELD = matchMedia("(hover: none)").matches ? "the round button" : "the round button or the space bar";
const CHOICES = {
  hands: ["How you take turns", [
    { value: "free", text: "Hands-free", hint: "Just talk. It answers when you pause." },
    { value: "hold", text: "Hold to talk", hint: `It listens while you hold ${HELD}.` },
  ]],
  patience: ["Patience", [
    { value: "quick", text: "Quick", hint: "Answers sooner, and may take a pause for the end." },
    { value: "normal", text: "Normal" },
    { value: "slow", text: "Slow", hint: "Waits longer, so you can think in mid-sentence." },
  ]],
  mode: ["Answers", [
    { value: "turn", text: "When I finish" },
    { value: "stream", text: "Live interpreting", hint: "It speaks while you speak, phrase by phrase." },
  ]],
  captions: ["Captions", [{ value: "normal", text: "Normal" }, { value: "large", text: "Large" }]],
  theme: ["Theme", [
    { value: "auto", text: "Automatic" }, { value: "light", text: "Light" }, { value: "dark", text: "Dark" },
  ]],
};
const DETECT = "Detect automatically";
const MAX_INSTRUCTIONS = 20_000; // characters
const TAKES_TURNS = "This model listens while it speaks and takes turns by itself.";

/** Dispatches "change" with {name} in its detail. */
export class Settings extends EventTarget {
  #values = { ...DEFAULTS, ...usable(kept("settings", {})), token: readToken() };
  #refused = new Set(); // fields whose value this server does not take
  #percent = make("output", { htmlFor: "setting-volume" });
  #fields;
  #sheet;

  constructor(root) {
    super();
    const { microphone, loudspeaker } = this.#values;
    this.#fields = {
      microphone: new Microphone(microphone),
      loudspeaker: new Loudspeaker(loudspeaker, () => this.#values.volume),
      volume: new Control("volume", "Volume", make("input", { type: "range", min: 0, max: 1, step: 0.05 }), {
        beside: [this.#percent],
      }),
      voice: new Voices(() => this.values),
      language: new Control("language", "Language", make("select", {}, new Option(DETECT, ""))),
      ...Object.fromEntries(Object.entries(CHOICES).map(([name, [label, all]]) => [name, new Choice(name, label, all)])),
      instructions: new Control("instructions", "Instructions", make("textarea", { dir: "auto", rows: 4, maxLength: MAX_INSTRUCTIONS }), {
        hint: "How it should behave, in your words. If you leave it empty, the server decides.",
      }),
    };
    this.#sheet = new Sheet(root, "Settings", { modal: true, ended: () => this.#fields.microphone.end() });
    this.#sheet.body.append(...ORDER.map((name) => this.#fields[name].root));
    for (const [name, field] of Object.entries(this.#fields)) {
      if (!["microphone", "loudspeaker"].includes(name)) field.value = this.#values[name];
      field.root.addEventListener("change", ({ target }) => target.type !== "search" && this.#changed(name));
    }
    this.#fields.volume.control.addEventListener("input", () => this.#changed("volume"));
    addEventListener("hashchange", () => location.hash.startsWith("#token=") && this.useToken(readToken()));
    this.#apply();
  }

  get values() {
    return { ...this.#values };
  }

  /** The fields of the message `settings`; without what the server has refused. */
  forServer() {
    const { hands, mode, patience } = this.#values;
    const [voice, language, instructions] = ["voice", "language", "instructions"].map((name) =>
      this.#refused.has(name) ? null : this.#values[name].trim() || null,
    );
    return { hands_free: hands === "free", reply_mode: mode, patience, voice, language, instructions };
  }

  /** Use this token, which the user has entered or opened a link with. */
  useToken(token) {
    this.#values.token = token;
    keepToken(token);
    this.#tell("token");
  }

  /** Offer what a server can do. */
  offer(info) {
    this.#fields.voice.offer(info);
    this.#offerLanguages(info.languages);
    const reason = info.turn_taking.takes_turns ? TAKES_TURNS : "";
    for (const name of ["patience", "mode"]) this.#fields[name].disable(reason);
  }

  /** Say beside a field what is wrong with its value; an empty text takes it back. What is refused is no
   * longer sent. */
  refuse(name, text) {
    if (text) this.#refused.add(name);
    else this.#refused.delete(name);
    this.#fields[name].refuse(text);
  }

  open() {
    this.#sheet.open();
  }

  close() {
    this.#sheet.close();
  }

  toggle() {
    this.#sheet.toggle();
  }

  /** Show the level of the microphone while a conversation goes on. */
  level(peak) {
    if (this.#sheet.isOpen) this.#fields.microphone.level(peak);
  }

  #changed(name) {
    const field = this.#fields[name];
    this.#values[name] = name === "volume" ? Number(field.value) : field.value;
    this.refuse(name, "");
    const { token, ...others } = this.#values;
    keep("settings", others);
    this.#apply();
    this.#tell(name);
  }

  #tell(name) {
    this.dispatchEvent(new CustomEvent("change", { detail: { name } }));
  }

  #apply() {
    const { theme, captions, volume } = this.#values;
    Object.assign(document.documentElement.dataset, { theme, captions });
    this.#percent.textContent = `${Math.round(100 * volume)} %`;
  }

  #offerLanguages(languages) {
    const offered = languages.map(({ code, name }) => new Option(named(code, name), code));
    offered.sort((one, other) => one.text.localeCompare(other.text));
    const chosen = this.#values.language;
    const strange = chosen && !languages.some(({ code }) => code === chosen);
    if (strange) offered.push(new Option(named(chosen, chosen), chosen));
    const field = this.#fields.language;
    const only = languages.length === 1 ? offered[0].text : "";
    field.control.replaceChildren(new Option(only || DETECT, ""), ...offered.slice(only ? 1 : 0));
    field.value = only && !strange ? "" : chosen;
    field.disable(only && !strange ? `${only} is the only language that it can hear and speak.` : "");
    const instead = only ? `uses ${only}` : "detects it";
    this.refuse("language", strange ? `This server does not have this language, and ${instead} instead.` : "");
  }
}

const ORDER = [
  "microphone", "loudspeaker", "volume", "voice", "language", "hands", "patience", "mode", "instructions", "captions",
  "theme",
];

/** The kept values that still have a meaning: an earlier version of the page may have kept others. */
function usable(values) {
  const valid = ([name, value]) =>
    name in DEFAULTS &&
    typeof value === typeof DEFAULTS[name] &&
    (!(name in CHOICES) || CHOICES[name][1].some((choice) => choice.value === value));
  return Object.fromEntries(Object.entries(values).filter(valid));
}
