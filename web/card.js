// The first-run card: what a newcomer talks to, and what would be better.

import { button, make } from "./elements.js";
import { Offer } from "./offer.js";
import { keep, kept } from "./store.js";

const SMALL = matchMedia("(max-width: 40rem), (max-height: 40rem)");
const PLACEHOLDERS = {
  eliza: ["Eliza, a program from 1966", "It turns your sentences into questions and understands nothing."],
  smollm2: ["SmolLM2, a very small model", "It chats, but it knows little and makes things up."],
  espeak: ["eSpeak, a robotic voice", "It is quick and clear, but nobody would take it for a person."],
  tone: ["a test tone", "It answers with a tone, so that you can try the sound."],
};
const ANSWERING = ["llm", "s2s", "tts", "stt", "vad"]; // the most important one gives the title

/** Dispatches "changed" when a part was swapped. */
export class FirstRunCard extends EventTarget {
  #root;
  #items = new Map(); // by the name of the offer
  #swapped = new Set(); // offers taken on this visit, which stay to be undone

  constructor(root) {
    super();
    this.#root = root;
    root.hidden = true;
  }

  /** Show the card if a part is a placeholder, and this set of parts was not dismissed before. */
  offer(info, token) {
    const placeholders = info.parts.filter(runs).filter(({ placeholder }) => placeholder);
    placeholders.sort((one, other) => ANSWERING.indexOf(one.stage) - ANSWERING.indexOf(other.stage));
    const set = placeholders.map(({ stage, name }) => `${stage}:${name}`).sort().join(" ");
    const dismissed = kept("dismissed", []);
    this.#root.hidden = dismissed.includes(set) || (!placeholders.length && !this.#swapped.size);
    if (this.#root.hidden) return this.#root.replaceChildren();
    const dismiss = () => {
      if (set) keep("dismissed", [...dismissed, set]);
      this.#swapped.clear();
      this.#root.hidden = true;
    };
    const title = make("h2", { id: "card-title" }, heading(placeholders));
    this.#root.setAttribute("aria-labelledby", title.id);
    const offers = info.offers.filter(({ name, state }) => state !== "in_use" || this.#swapped.has(name));
    const list = offers.length ? [this.#list(offers, { token, may: info.may_change })] : [];
    this.#root.replaceChildren(
      title,
      button("×", dismiss, { name: "Dismiss", className: "close" }),
      make("p", {}, explanation(placeholders)),
      ...list,
    );
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
      { open: this.#root.querySelector("details")?.open ?? !SMALL.matches },
      make("summary", {}, better),
      make("ul", { className: "offers" }, ...items),
    );
  }

  #item(offer) {
    const item = new Offer(offer);
    item.addEventListener("changed", () => {
      this.#swapped.add(offer.name);
      this.dispatchEvent(new Event("changed"));
    });
    this.#items.set(offer.name, item);
    return item;
  }
}

/** The first engine of a stage runs; the others take over if it fails. */
const runs = ({ stage }, at, parts) => parts.findIndex((part) => part.stage === stage) === at;

const described = ({ name, title, about }) => PLACEHOLDERS[name]?.[0] ?? [title, about].filter(Boolean).join(", ");

const verb = ({ stage }) => (stage === "tts" ? "hear" : "talk to");

function heading([first]) {
  if (!first) return "Better parts are in use";
  return `You are ${first.stage === "tts" ? "hearing" : "talking to"} ${described(first)}`;
}

/** More of the first placeholder, and the others. */
function explanation([first, ...others]) {
  const more = PLACEHOLDERS[first?.name]?.[1] ?? "";
  return [more, ...others.map((part) => `You ${verb(part)} ${described(part)}.`)].join(" ");
}
