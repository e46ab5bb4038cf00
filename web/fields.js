// Fields of the settings: a label, a control, a hint, and what is wrong with it.

import { make } from "./elements.js";

class Field {
  #hint = make("p", { className: "hint" });
  #error = make("p", { className: "field-error", role: "alert" });
  #hintText;

  constructor(name, root, hint) {
    this.root = root;
    root.dataset.field = name;
    this.#hint.id = `setting-${name}-hint`;
    this.#error.id = `setting-${name}-error`;
    this.#hintText = hint;
    this.hint(hint);
  }

  describe(...elements) {
    for (const element of elements) element.setAttribute("aria-describedby", `${this.#hint.id} ${this.#error.id}`);
    this.root.append(this.#hint, this.#error);
  }

  hint(text) {
    this.#hint.textContent = text;
    this.#hint.hidden = !text;
  }

  /** Say what is wrong with the value; an empty text takes it back. */
  refuse(text) {
    this.#error.textContent = text;
    this.marked.ariaInvalid = text ? "true" : "false";
    this.root.classList.toggle("refused", Boolean(text));
  }

  /** Disable the field and say why; an empty reason enables it again. */
  disable(reason) {
    this.enabled(!reason);
    this.hint(reason || this.#hintText);
  }
}

/** One control with a label. `beside` stands in the same row. */
export class Control extends Field {
  constructor(name, label, control, { hint = "", beside = [] } = {}) {
    const id = `setting-${name}`;
    control.id = id;
    const row = make("div", { className: "row" }, control, ...beside);
    super(name, make("div", { className: "field" }, make("label", { htmlFor: id }, label), row), hint);
    this.control = this.marked = control;
    this.describe(control);
  }

  get value() {
    return this.control.value;
  }

  set value(value) {
    this.control.value = value;
  }

  enabled(on) {
    this.control.disabled = !on;
  }
}

/** A few choices side by side. `options` are {value, text, hint}. */
export class Choice extends Field {
  #options;

  constructor(name, label, options) {
    const root = make("fieldset", { className: "field" }, make("legend", {}, label));
    super(name, root, "");
    this.marked = root;
    this.#options = options.map(({ value, text, hint = "" }) => {
      const radio = make("input", { type: "radio", name: `setting-${name}`, value });
      return { value, radio, hint, label: make("label", {}, radio, make("span", {}, text)) };
    });
    root.append(make("div", { className: "segments" }, ...this.#options.map((option) => option.label)));
    root.addEventListener("change", () => this.#explain());
    this.describe(root);
  }

  get value() {
    return this.#options.find(({ radio }) => radio.checked)?.value;
  }

  set value(value) {
    for (const option of this.#options) option.radio.checked = option.value === value;
    this.#explain();
  }

  enabled(on) {
    this.root.disabled = !on;
  }

  disable(reason) {
    super.disable(reason);
    if (!reason) this.#explain();
  }

  #explain() {
    this.hint(this.#options.find(({ radio }) => radio.checked)?.hint ?? "");
  }
}
