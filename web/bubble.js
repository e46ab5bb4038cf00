// One bubble of the conversation: words, or the length of speech without words.

import { button, make } from "./elements.js";

const NAMES = { you: "You said: ", machine: "Reply: " };
const FEW_WORDS = 8; // unheard words that are shown struck out; more are folded away
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export class Bubble {
  item = document.createElement("li");
  #name = make("span", { className: "sr" });

  /** `kind`: you, machine or note. */
  constructor(list, kind) {
    this.#become(kind);
    this.item.dataset.time = CLOCK.format(new Date());
    list.append(this.item);
  }

  /** Show these words, the last ones as a guess or as not heard yet, if `sure` is given. */
  write(kind, text, sure = text.length) {
    this.#become(kind);
    const parts = [text.slice(0, sure)];
    if (sure < text.length) parts.push(make("span", { className: "rest" }, text.slice(sure)));
    this.item.replaceChildren(this.#name, paragraph(...parts));
  }

  /** Add words that are being heard; `anew`: as a paragraph of their own. */
  append(kind, text, anew) {
    this.#become(kind);
    if (!this.paragraphs.length) this.item.replaceChildren(this.#name);
    if (anew || !this.paragraphs.length) this.item.append(paragraph());
    this.paragraphs.at(-1).append(text);
  }

  /** Show for how long somebody spoke; `seconds` is null while the speech goes on. */
  tellLength(who, seconds) {
    this.item.classList.add("voice");
    this.item.classList.toggle("live", seconds === null);
    this.#name.textContent = seconds === null ? `${who} …` : `${who} for `;
    this.item.replaceChildren(this.#name, seconds === null ? "" : `${seconds.toFixed(1)} s`);
  }

  /** Say to a screen reader who spoke, in these words. */
  name(text) {
    this.#name.textContent = text;
    this.item.replaceChildren(this.#name);
  }

  /** Number of its words. */
  get words() {
    return this.paragraphs.flatMap((one) => one.textContent.match(/\S+/g) ?? []).length;
  }

  get paragraphs() {
    return [...this.item.querySelectorAll("p")];
  }

  /** Mark with what became of it; `retry` is called when the user wants it to be sent again. */
  unsent(fate, retry) {
    this.item.classList.add("unsent");
    const again = button("Retry", () => {
      this.sent();
      retry();
    });
    this.item.append(make("span", { className: "fate" }, fate, " · ", again));
  }

  sent() {
    this.item.classList.remove("unsent");
    this.item.querySelector(".fate")?.remove();
  }

  /** Mark as speech that gets no answer, since it seemed to be meant for somebody else. */
  unmeant() {
    this.item.classList.add("unmeant");
    this.item.append(make("span", { className: "fate" }, "Not taken as meant for me. Say it again, and I answer."));
  }

  #become(kind) {
    this.item.className = kind;
    this.#name.textContent = NAMES[kind] ?? "";
  }
}

/** Words that run in the direction of their language. */
export function paragraph(...content) {
  return make("p", { dir: "auto" }, ...content);
}

/** Strike out the last `count` characters of these paragraphs; if `count` is 0, show that the reply went on. */
export function strikeOut(paragraphs, count) {
  if (count <= 0) return paragraphs.at(-1)?.append(struck(" …"));
  let cut = "";
  for (const paragraph of paragraphs.reverse()) {
    const text = paragraph.textContent;
    const kept = Math.max(0, text.length - count);
    paragraph.replaceChildren(text.slice(0, kept), struck(text.slice(kept)));
    cut = text.slice(kept) + cut;
    if ((count -= text.length) <= 0) break;
  }
  fold(paragraphs[0].closest("li"), cut.trim().split(/\s+/).length);
}

export function struck(text) {
  return make("del", {}, text);
}

/** Put a button in the place of many unheard words. */
export function fold(item, words) {
  if (words <= FEW_WORDS) return;
  const toggle = () => {
    const folded = item.classList.toggle("folded");
    opener.ariaExpanded = !folded;
    opener.textContent = folded ? `… ${words} words not heard` : "Fold";
  };
  const opener = button("", toggle, { className: "cut" });
  item.append(opener);
  toggle();
}

/** A bubble as a line of plain text; what was not heard is left out. */
export function plain(item) {
  const copy = item.cloneNode(true);
  for (const cut of copy.querySelectorAll("del")) cut.replaceWith(" […]");
  for (const control of copy.querySelectorAll("button, .fate")) control.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}
