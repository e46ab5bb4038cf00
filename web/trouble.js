// The trouble card: what happened, why, and what to do about it.

import { button, make } from "./elements.js";

export class Trouble {
  #root;

  constructor(root) {
    this.#root = root;
    root.setAttribute("role", "alert");
    this.hide();
  }

  /** Returns the card, for `hide`. `action`, if any, is {label, run}, and `other` a way around it; the card goes
   * before either runs. `secret`, in place of them, is {label, action, run} of a field for a secret: `run` is called
   * with what the user enters. */
  show({ title, text = "", action = null, other = null, secret = null }) {
    const close = button("×", () => this.hide(), { name: "Dismiss", className: "close" });
    const card = make("div", { className: "trouble-card" }, make("h2", {}, title), close);
    if (text) card.append(make("p", {}, text));
    const offered = [action && this.#button(action, "primary"), other && this.#button(other, "")].filter(Boolean);
    if (offered.length) card.append(make("div", { className: "actions" }, ...offered));
    if (secret) card.append(this.#form(secret));
    this.#root.hidden = false;
    this.#root.replaceChildren(card);
    card.querySelector("input")?.focus(); // nothing else works
    return card;
  }

  #form({ label, action, run }) {
    const field = make("input", { type: "password", autocomplete: "off", placeholder: label, required: true });
    const form = make("form", { className: "actions" }, field, make("button", { className: "primary" }, action));
    field.setAttribute("aria-label", label);
    form.onsubmit = (event) => {
      event.preventDefault();
      this.hide();
      run(field.value.trim());
    };
    return form;
  }

  #button({ label, run }, className) {
    const act = () => {
      this.hide();
      run();
    };
    return button(label, act, { className });
  }

  /** Hide whatever is shown, or, of the cards, only this one. */
  hide(card = this.#root.firstChild) {
    if (card !== this.#root.firstChild) return;
    this.#root.hidden = true;
    this.#root.replaceChildren();
  }
}
