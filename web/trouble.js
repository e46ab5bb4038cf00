// The trouble card: what happened, why, and the one thing to do about it.

import { button, make } from "./elements.js";

export class Trouble {
  #root;

  constructor(root) {
    this.#root = root;
    root.setAttribute("role", "alert");
    this.hide();
  }

  /** `action`, if any, is {label, run}; the card goes before it runs. */
  show({ title, text = "", action = null }) {
    const close = button("×", () => this.hide(), { name: "Dismiss", className: "close" });
    const card = make("div", { className: "trouble-card" }, make("h2", {}, title), close);
    if (text) card.append(make("p", {}, text));
    if (action) {
      const run = () => {
        this.hide();
        action.run();
      };
      card.append(button(action.label, run, { className: "primary" }));
    }
    this.#root.hidden = false;
    this.#root.replaceChildren(card);
  }

  hide() {
    this.#root.hidden = true;
    this.#root.replaceChildren();
  }
}
