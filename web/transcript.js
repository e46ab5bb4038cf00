// The conversation as text: partial and final transcripts, and replies with the unheard part struck out. An
// end-to-end model may write no words of one side; then a bubble shows that this side spoke, and for how long.

import { Bubble, plain, strikeOut, struck } from "./bubble.js";
import { Reading } from "./reading.js";
import { record, replay } from "./record.js";

const WENT_ON = "the user went on"; // reason of a turn whose words come again, in a turn that carries the rest, too
const PARAGRAPH_MS = 2000; // pause after which a reply without end begins a new paragraph

export class Transcript {
  flows = false; // true: replies have no end, and the words of both sides come as they are spoken
  rate = 24000; // samples of the reply's audio a second
  #list;
  #guess = null; // the bubble of the partial transcript
  #unmeant = null; // the bubble of the latest words that were not taken as meant for the program
  #speech = {}; // the user's latest speech: {began, seconds, bubble}
  #unwritten = new Map(); // committed turn whose words are not known ▶ its speech
  #asked = new Map(); // turn that is not over ▶ the bubble of the user's words
  #replies = new Map(); // turn ▶ {bubbles, text, reading, lit: characters, written: time}

  constructor(list) {
    this.#list = list;
  }

  get empty() {
    return !this.#list.childElementCount;
  }

  clear() {
    this.#list.replaceChildren();
    this.forget();
  }

  /** The session has ended: nothing more comes of its turns, and what is not lit was not heard. */
  forget() {
    this.unsaid();
    for (const [turn, { text, lit }] of this.#replies) {
      this.done({ turn, state: "interrupted", heard: text.slice(0, this.flows ? undefined : lit), marks: {} });
    }
    this.#speech = {};
    for (const known of [this.#unwritten, this.#asked, this.#replies]) known.clear();
  }

  /** The conversation as plain data: its bubbles, each with its turn while that is not over, the replies that go on,
   * and the user's speech of which more will be told, without words that only stay until the next. `numbers`: those
   * of the texts on their way, by their bubbles. */
  save(numbers) {
    const turns = new Map([...this.#asked].map(([turn, { item }]) => [item, turn]));
    for (const [turn, { bubbles }] of this.#replies) for (const { item } of bubbles) turns.set(item, turn);
    const passing = [this.#guess?.item, this.#unmeant?.item];
    const items = [...this.#list.children].filter((item) => !passing.includes(item));
    const replies = [...this.#replies].map(([turn, { text, lit, reading }]) => ({ turn, text, lit, pieces: reading.pieces }));
    const speeches = [...new Set([this.#speech, ...this.#unwritten.values()])];
    const lengths = new Map(speeches.map(({ bubble }, at) => [bubble?.item, at]));
    const saved = items.map((item) => ({
      ...record(item), turn: turns.get(item), number: numbers.get(item), speech: lengths.get(item),
    }));
    const unwritten = [...this.#unwritten].map(([turn, speech]) => [turn, speeches.indexOf(speech)]);
    const { rate, flows } = this;
    return { items: saved, replies, speeches: speeches.map(({ bubble, ...times }) => times), unwritten, rate, flows };
  }

  /** Show what `save` returned; `adopt` is called with each bubble and its record. */
  restore({ items, replies, speeches, unwritten, rate, flows }, adopt) {
    Object.assign(this, { rate, flows });
    const spoken = speeches.map((times) => ({ ...times, bubble: null }));
    this.#speech = spoken[0];
    for (const [turn, at] of unwritten) this.#unwritten.set(turn, spoken[at]);
    for (const { turn, text, lit, pieces } of replies) {
      const reply = { ...this.#newReply([]), text, lit };
      for (const piece of pieces) reply.reading.add(piece.from, piece.text);
      this.#replies.set(turn, reply);
    }
    for (const item of items) {
      const bubble = replay(this.#list, item);
      adopt(bubble, item);
      if (item.speech !== undefined) spoken[item.speech].bubble = bubble;
      if (item.turn === undefined) continue;
      if (item.kind.startsWith("you")) this.#asked.set(item.turn, bubble);
      else this.#replies.get(item.turn).bubbles.push(bubble);
    }
  }

  /** The conversation as lines of plain text. */
  get text() {
    const spoken = [...this.#list.children].filter((item) => !item.matches(".note, .unmeant"));
    return spoken.map((item) => plain(item)).join("\n");
  }

  // -- the user ---------------------------------------------------------------------------------------

  speechStarted(at) {
    this.#speech = { began: at, seconds: null, bubble: null };
  }

  speechEnded(at) {
    this.#speech.seconds = Math.max(0, at - (this.#speech.began ?? at));
    this.#speech.bubble?.tellLength("You spoke", this.#speech.seconds);
  }

  committed({ turn, origin }) {
    if (origin === "speech") this.#unwritten.set(turn, this.#speech);
  }

  guess({ text, stable_chars: stable }) {
    this.#forgetUnmeant();
    this.#guess ??= this.#add("you");
    this.#guess.write("you", text, stable);
  }

  said({ turn, text }) {
    this.#forgetUnmeant();
    const bubble = this.#unwritten.get(turn)?.bubble ?? this.#guess ?? this.#add("you");
    this.#unwritten.delete(turn);
    if (bubble === this.#guess) this.#guess = null;
    bubble.write("you", text);
    this.#asked.set(turn, bubble);
  }

  typed(text) {
    const bubble = this.#add("you");
    bubble.write("you", text);
    return bubble;
  }

  /** Remove the partial transcript: the speech came to nothing. */
  unsaid() {
    this.#guess?.item.remove();
    this.#guess = null;
  }

  /** Show until the next words that these will not be answered; of one or two, nods, nothing stays. */
  unmeant() {
    if (this.#guess?.words < 3) return this.unsaid();
    this.#guess?.unmeant();
    this.#unmeant = this.#guess ?? this.#unmeant;
    this.#guess = null;
  }

  #forgetUnmeant() {
    this.#unmeant?.item.remove();
    this.#unmeant = null;
  }

  /** Show that the user spoke: the answer begins, or has failed, and the words are not known. */
  unanswered(turn) {
    const speech = this.#unwritten.get(turn);
    if (!speech || speech.bubble) return;
    speech.bubble = this.#guess ?? this.#add("you");
    this.#guess = null;
    speech.bubble.tellLength("You spoke", speech.seconds);
  }

  // -- the program ------------------------------------------------------------------------------------

  replyStarted(turn) {
    this.unanswered(turn);
    if (this.flows || this.#replies.has(turn)) return;
    const bubble = this.#add("machine");
    this.#replies.set(turn, this.#newReply([bubble]));
    bubble.tellLength("Speaking", null);
  }

  /** Add a piece of a reply, which begins to be heard at the sample `from`. */
  reply({ turn, text }, from) {
    const reply = this.#replies.get(turn) ?? this.#newReply([]);
    this.#replies.set(turn, reply);
    reply.text += text;
    if (this.flows) return this.#flow(reply, text);
    if (!reply.bubbles.length) reply.bubbles.push(this.#add("machine"));
    reply.reading.add(from, text);
    this.#light(reply, from);
  }

  /** The reply was played up to this sample: light up its words. */
  played({ turn, sample }) {
    const reply = this.#replies.get(turn);
    if (!reply?.text || this.flows) return;
    if (reply.reading.heardAt(sample) > reply.lit) this.#light(reply, sample);
  }

  #light(reply, sample) {
    reply.lit = reply.reading.heardAt(sample);
    reply.bubbles[0].write("machine", reply.text, reply.lit);
  }

  #flow(reply, text) {
    const now = performance.now();
    if (reply.bubbles.at(-1)?.item !== this.#list.lastElementChild) reply.bubbles.push(this.#add("machine"));
    reply.bubbles.at(-1).append("machine", text, now - reply.written > PARAGRAPH_MS);
    reply.written = now;
  }

  /** End a reply; if it was interrupted, strike out the part that was not heard. */
  done({ turn, state, reason, heard, marks }) {
    this.#unwritten.delete(turn);
    if (state === "dropped" && reason === WENT_ON) this.#asked.get(turn)?.item.remove();
    this.#asked.delete(turn);
    const reply = this.#replies.get(turn);
    if (!reply) return;
    this.#replies.delete(turn);
    const interrupted = state === "interrupted";
    const [bubble] = reply.bubbles;
    if (!bubble) return; // a model without an end that said nothing
    if (!reply.text) {
      bubble.tellLength("Spoke", Math.max(0, marks.heard_to - marks.first_audio || 0));
      if (interrupted) bubble.item.append(" ", struck("…"));
    } else {
      if (!this.flows) bubble.write("machine", reply.text);
      const unheard = reply.text.length - heard.length;
      if (interrupted || (state === "failed" && unheard > 0)) {
        strikeOut(reply.bubbles.flatMap((one) => one.paragraphs), unheard);
      }
    }
    if (state === "failed") bubble.item.classList.add("failed");
  }

  /** A remark beside the conversation. `kind`: "", failed or divider. */
  note(text, kind = "") {
    this.#add(`note ${kind}`.trim()).item.textContent = text;
  }

  /** Draw a line: what stands above it belongs to an earlier session. Texts that wait for the new one stand below. */
  divide(text, waiting = []) {
    const last = [...this.#list.children].findLast((item) => !waiting.includes(item));
    if (!last || last.matches(".divider")) return;
    this.note(text, "divider");
    this.#list.append(...waiting);
  }

  #newReply(bubbles) {
    return { bubbles, text: "", reading: new Reading(this.rate), lit: 0, written: 0 };
  }

  #add(kind) {
    return new Bubble(this.#list, kind);
  }
}
