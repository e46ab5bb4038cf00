// The setting "Voice": by language, with a search, and a sample of each.

import { button, make } from "./elements.js";
import { Control } from "./fields.js";
import { post } from "./info.js";
import { named, preferred, sample } from "./languages.js";
import { contextFor } from "./loudspeaker.js";

const [DEFAULT, OTHER] = ["Default", "Other"];
const PIPER = /^[a-z]{2,3}_[A-Z]{2}-(\w+)-(?:x_low|low|medium|high)$/;
const KOKORO = /^[a-z][fm]_([a-z]+)$/;
const MODEL = "tts-1"; // whatever voice is loaded

export class Voices extends Control {
  #list = make("div", { className: "voice-list", role: "radiogroup", "aria-label": "Voices" });
  #search = make("input", { type: "search", autocomplete: "off", spellcheck: false });
  #box;
  #settings;
  #voices = [];
  #preset = null; // the server's default
  #chosen = "";
  #samples = false;
  #playing = null;

  /** `settings` returns the values that a sample needs: token, loudspeaker, volume. */
  constructor(settings) {
    const shown = make("button", { type: "button", className: "disclose" });
    super("voice", "Voice", shown);
    this.marked = this.#list;
    this.#settings = settings;
    const searching = make("label", { className: "search" }, make("span", {}, "Search"), this.#search);
    this.#box = make("div", { className: "voices", hidden: true }, searching, this.#list);
    this.#box.id = "setting-voice-list";
    shown.setAttribute("aria-controls", this.#box.id);
    shown.addEventListener("click", () => this.#disclose(this.#box.hidden));
    this.root.insertBefore(this.#box, this.root.querySelector(".hint"));
    this.#search.addEventListener("input", () => this.#fill());
    this.#list.addEventListener("change", ({ target }) => (this.value = target.value)); // it bubbles from here
    this.#disclose(false);
    this.#name();
  }

  get value() {
    return this.#chosen;
  }

  set value(name) {
    this.#chosen = name;
    this.#name();
  }

  offer({ voices, voice, parts }) {
    this.#voices = voices;
    this.#preset = voice;
    this.#samples = parts.some(({ stage }) => stage === "tts");
    this.disable(voices.length ? "" : "This server has one voice only.");
    if (!voices.length) this.#disclose(false);
    this.#name();
    this.#fill();
  }

  #disclose(open) {
    this.#box.hidden = !open;
    this.control.setAttribute("aria-expanded", open);
    if (!open) return;
    this.#fill();
    this.#search.focus();
    this.#box.scrollIntoView({ block: "nearest" });
    this.#list.querySelector(":checked")?.closest("label").scrollIntoView({ block: "nearest" });
  }

  #name() {
    const name = this.#chosen || this.#preset;
    const language = name && this.#voices.find((voice) => voice.name === name)?.language_name;
    const told = [name && called(name), language].filter(Boolean).join(" · ");
    this.control.textContent = this.#chosen ? told : [DEFAULT, told].filter(Boolean).join(": ");
    this.control.setAttribute("aria-label", `Voice: ${this.control.textContent}`);
  }

  #fill() {
    if (this.#box.hidden) return;
    const wanted = this.#search.value.trim().toLowerCase();
    const matches = this.#voices.filter((voice) =>
      [voice.name, called(voice.name), voice.language_name ?? "", group(voice)].join(" ").toLowerCase().includes(wanted),
    );
    const groups = grouped(matches);
    const rows = groups.map(([name, voices]) => {
      const heading = make("h3", {}, name);
      return make("section", {}, heading, ...voices.map((voice) => this.#row(voice.name, voice.language)));
    });
    const preset = this.#voices.find(({ name }) => name === this.#preset);
    if (!wanted) rows.unshift(this.#row("", preset?.language));
    else if (!this.#voices.some(({ name }) => name.toLowerCase() === wanted)) rows.push(this.#asTyped());
    this.#list.replaceChildren(...rows);
  }

  #row(name, language, text = called(name) || DEFAULT) {
    const radio = make("input", { type: "radio", name: "setting-voice", value: name });
    radio.checked = name === this.#chosen;
    const label = make("label", {}, radio, make("span", {}, text));
    if (text === called(name) && text !== name) label.append(make("small", { className: "hint" }, name));
    const row = make("div", { className: "voice" }, label);
    if (this.#samples) {
      const play = button("▶", () => this.#play(name, language, play), { name: `Play a sample: ${text}` });
      row.append(play);
    }
    return row;
  }

  /** A voice may be more than its name in the list: eSpeak takes a variant, as in en-gb+f3. */
  #asTyped() {
    const typed = this.#search.value.trim();
    return this.#row(typed, this.#voices.find(({ name }) => typed.startsWith(`${name}+`))?.language, `Use “${typed}”`);
  }

  async #play(voice, language, pressed) {
    this.#silence();
    this.refuse("");
    pressed.disabled = true;
    const { token, loudspeaker, volume } = this.#settings();
    let context = null;
    try {
      context = this.#playing = await contextFor(loudspeaker); // in the tap: Safari starts no sound later
      const wanted = { model: MODEL, input: sample(language), voice: voice || null, response_format: "wav" };
      const speech = await (await post("/v1/audio/speech", token, wanted)).arrayBuffer();
      const gain = new GainNode(context, { gain: volume });
      const source = new AudioBufferSourceNode(context, { buffer: await context.decodeAudioData(speech) });
      source.connect(gain).connect(context.destination);
      source.onended = () => context === this.#playing && this.#silence();
      source.start();
    } catch (error) {
      if (context === this.#playing) this.#unplayed(error); // else another sample was asked for
    }
    pressed.disabled = false;
  }

  #unplayed(error) {
    this.#silence();
    this.#samples = error.status !== 404;
    this.refuse(this.#samples ? `No sample: ${error.message}` : "This server plays no samples.");
    if (!this.#samples) this.#fill();
  }

  /** End the sample that plays. */
  #silence() {
    this.#playing?.close();
    this.#playing = null;
  }
}

/** What a voice is called: "Joe" for Piper's en_US-joe-medium, "Heart" for Kokoro's af_heart; else its name. */
function called(name) {
  const [, own] = PIPER.exec(name) ?? KOKORO.exec(name) ?? [];
  return own ? own.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(" ") : name;
}

/** The heading under which a voice stands. eSpeak has codes that no list of languages knows. */
const group = ({ language, language_name: name }) =>
  language && !name.startsWith("Unknown language") ? named(language, name) : OTHER;

/** [heading, voices] of each language: those of the user first, the others by name, the unknown last. */
function grouped(voices) {
  const groups = new Map();
  for (const voice of voices) groups.set(group(voice), [...(groups.get(group(voice)) ?? []), voice]);
  const rank = ([name, [{ language }]]) => {
    const place = preferred.indexOf(language);
    return place >= 0 ? place : preferred.length + (name === OTHER);
  };
  return [...groups].sort((one, other) => rank(one) - rank(other) || one[0].localeCompare(other[0]));
}
