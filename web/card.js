// The first-run card: what a newcomer talks to, and what would be better.

import { button, make } from "./elements.js";
import { Offer } from "./offer.js";
import { keep, kept } from "./store.js";

const SMALL = matchMedia("(max-width: 40rem), (max-height: 40rem)");
const PLACEHOLDERS = {
  // the name, what it is, and more of it
  eliza: ["Eliza", "a program from 1966", "It turns your sentences into questions and understands nothing."],
  smollm2: ["SmolLM2", "a very small model", "It chats, but it knows little and makes things up."],
  espeak: ["eSpeak", "a robotic voice", "It is quick and clear, but nobody would take it for a person."],
  tone: ["", "a test tone", "It answers with a tone, so that you can try the sound."],
};
const ANSWERING = ["llm", "s2s", "tts", "stt", "vad"]; // the most important one gives the title

/** Dispatches "changed" when a part was swapped. */
export class FirstRunCard extends EventTarget {
  #root;
  #items = new Map(); // by the name of the offer
  #folded = false;

  constructor(root) {
    super();
    this.#root = root;
    root.hidden = true;
  }

  /** Show the card if a part is a placeholder, or an offer is in use and can be undone, and the user did not
   * dismiss it in this situation. */
  offer({ parts, offers, may_change: may }, token) {
    const placeholders = parts.filter(runs).filter(({ placeholder }) => placeholder);
    placeholders.sort((one, other) => ANSWERING.indexOf(one.stage) - ANSWERING.indexOf(other.stage));
    const used = may ? offers.filter(({ state }) => state === "in_use") : [];
    const set = [...placeholders, ...used].map(({ stage, name }) => `${stage}:${name}`).sort().join(" ");
    const dismissed = kept("dismissed", []);
    this.#root.hidden = !set || dismissed.includes(set);
    if (this.#root.hidden) return this.#root.replaceChildren();
    const dismiss = () => {
      keep("dismissed", [...dismissed, set]);
      this.#root.hidden = true;
    };
    const shown = may ? offers : offers.filter(({ state }) => state !== "in_use");
    const list = shown.length ? [this.#list(shown, { token, may })] : [];
    const title = make("h2", { id: "card-title" }, heading(placeholders));
    const line = make("span", { className: "line" }, brief(placeholders));
    if (list.length && placeholders.length) line.append("\u00a0· Better\u00a0parts");
    const whole = make(
      "details",
      { className: "whole", open: !this.#folded },
      make("summary", {}, title, line),
      make("p", {}, explanation(placeholders)),
      ...list,
    );
    whole.ontoggle = () => this.#toggled(whole.open);
    this.#root.setAttribute("aria-labelledby", title.id);
    this.#root.replaceChildren(whole, button("×", dismiss, { name: "Dismiss", className: "close" }));
  }

  /** Leave the space to a conversation: one line, which a tap opens again. */
  fold() {
    this.#folded = true;
    for (const whole of this.#root.querySelectorAll(".whole")) whole.open = false;
  }

  #toggled(open) {
    if (open && this.#folded) for (const offers of this.#root.querySelectorAll(".better")) offers.open = true;
    this.#folded = !open;
  }

  #list(offers, access) {
    const items = offers.map((offer) => {
      const item = this.#items.get(offer.name) ?? this.#item(offer);
      item.offer(offer, access);
      return item.root;
    });
    const better = items.length === 1 ? "A better part to choose" : `${items.length} better parts to choose from`;
    return make(
      "details",
      { className: "better", open: this.#root.querySelector(".better")?.open ?? !SMALL.matches },
      make("summary", {}, better),
      make("ul", { className: "offers" }, ...items),
    );
  }

  #item(offer) {
    const item = new Offer(offer);
    item.addEventListener("changed", () => this.dispatchEvent(new Event("changed")));
    this.#items.set(offer.name, item);
    return item;
  }
}

/** The first engine of a stage runs; the others take over if it fails. */
const runs = ({ stage }, at, parts) => parts.findIndex((part) => part.stage === stage) === at;

const known = ({ name, title, about }) => PLACEHOLDERS[name] ?? [title, about, ""];

const described = (part) => known(part).slice(0, 2).filter(Boolean).join(", ");

const verb = ({ stage }) => (stage === "tts" ? "hear" : "talk to");

function heading([first]) {
  if (!first) return "Better parts are in use";
  return `You are ${first.stage === "tts" ? "hearing" : "talking to"} ${described(first)}`;
}

/** The heading in fewer words. */
function brief(placeholders) {
  const [name, kind] = placeholders.length ? known(placeholders[0]) : [];
  return name && kind ? `${name} is ${kind}` : heading(placeholders);
}

/** More of the first placeholder, and the others. */
function explanation([first, ...others]) {
  const more = first ? known(first)[2] : "";
  return [more, ...others.map((part) => `You ${verb(part)} ${described(part)}.`)].join(" ");
}
