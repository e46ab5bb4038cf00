// A sheet at the right edge of the page. It fills a small screen.

import { button, make } from "./elements.js";

const NARROW = matchMedia("(max-width: 60rem), (max-height: 30rem)"); // the sheet would hide a part of the page

export class Sheet {
  #dialog;
  #modal;
  body = make("div", { className: "sheet-body" });

  /** `modal`: the page behind it can be reached again only after it is closed, not only on a narrow screen. The
   * settings are; the details are not, as they are watched while one talks.
   * `ended` is called after it was closed. */
  constructor(root, title, { modal = false, ended = () => {} } = {}) {
    const heading = make("h2", { id: `${root.id}-title` }, title);
    const done = button("Done", () => this.close(), { className: "primary" });
    this.#modal = modal;
    this.#dialog = make(
      "dialog",
      { className: "sheet", "aria-labelledby": heading.id, onclose: ended },
      make("header", {}, heading, done),
      this.body,
    );
    this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.close()); // the backdrop
    this.#dialog.addEventListener("keydown", (event) => this.#press(event));
    root.append(this.#dialog);
  }

  get isOpen() {
    return this.#dialog.open;
  }

  open() {
    if (this.isOpen) return;
    if (this.#modal || NARROW.matches) this.#dialog.showModal();
    else this.#dialog.show();
  }

  close() {
    this.#dialog.close();
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  /** The keys of the page behind a modal sheet must not work, and Esc closes the sheet, nothing else. */
  #press(event) {
    const modal = this.#dialog.matches(":modal");
    if (modal || event.key === "Escape") event.stopPropagation();
    if (event.key === "Escape" && !modal) this.close();
  }
}
