// Estimates how much of a reply's text has been heard from the sample that was played last.

const CHARS_PER_S = 15; // of a calm voice, until this one's pace is known

/**
 * The text comes in pieces, each when it begins to be heard. Where a piece ends is known only when the next one
 * begins, so within the last piece the share of characters is estimated by the voice's pace so far.
 */
export class Reading {
  #rate;
  #pieces = []; // {from: sample, chars}
  #text = "";

  constructor(rate) {
    this.#rate = rate;
  }

  /** The pieces so far, {from, text}. */
  get pieces() {
    let at = 0;
    return this.#pieces.map(({ from, chars }) => ({ from, text: this.#text.slice(at, (at += chars)) }));
  }

  add(from, text) {
    this.#pieces.push({ from, chars: text.length });
    this.#text += text;
  }

  /** The number of characters that were heard when `sample` was played, up to the end of a word. */
  heardAt(sample) {
    let before = 0;
    for (const { from, chars } of this.#pieces.slice(0, -1)) before += sample >= from ? chars : 0;
    const last = this.#pieces.at(-1);
    if (!last || sample < last.from) return before;
    const chars = Math.min(last.chars, (sample - last.from) * this.#pace);
    const end = this.#text.slice(before + Math.ceil(chars)).search(/\s|$/);
    return before + Math.ceil(chars) + end;
  }

  /** Characters a sample. */
  get #pace() {
    const first = this.#pieces[0];
    const last = this.#pieces.at(-1);
    const samples = last.from - first.from;
    return samples > 0 ? (this.#text.length - last.chars) / samples : CHARS_PER_S / this.#rate;
  }
}
