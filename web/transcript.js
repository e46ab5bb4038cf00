// The conversation as text: partial and final transcripts, and replies with the unheard part struck out. An
// end-to-end model may write no words of one side; then a bubble shows that this side spoke, and for how long.

const PARAGRAPH_MS = 2000; // pause after which a reply without end begins a new paragraph

export class Transcript {
  flows = false; // true: replies have no end, and the words of both sides come as they are spoken
  #list;
  #guess = null; // the bubble of the partial transcript
  #speech = {}; // the user's latest speech: {began, seconds, bubble}
  #unwritten = new Map(); // committed turn whose words are not known ▶ its speech
  #replies = new Map(); // turn ▶ {items, text, seconds, written}

  constructor(list) {
    this.#list = list;
  }

  // -- the user ---------------------------------------------------------------------------------------

  speechStarted(at) {
    this.#speech = { began: at, seconds: null, bubble: null };
  }

  speechEnded(at) {
    this.#speech.seconds = Math.max(0, at - this.#speech.began);
    if (this.#speech.bubble) this.#tellLength(this.#speech.bubble, "You spoke", this.#speech.seconds);
  }

  committed({ turn, origin }) {
    if (origin === "speech") this.#unwritten.set(turn, this.#speech);
  }

  guess({ text, stable_chars: stable }) {
    this.#guess ??= this.#add("you");
    const rest = document.createElement("span");
    rest.className = "guess";
    rest.textContent = text.slice(stable);
    this.#guess.replaceChildren(text.slice(0, stable), rest);
    this.#show();
  }

  said({ turn, text }) {
    const item = this.#unwritten.get(turn)?.bubble ?? this.#guess ?? this.#add("you");
    this.#unwritten.delete(turn);
    if (item === this.#guess) this.#guess = null;
    item.className = "you";
    item.textContent = text;
    this.#show();
  }

  /** Remove the partial transcript: the speech came to nothing. */
  unsaid() {
    this.#guess?.remove();
    this.#guess = null;
  }

  /** Show that the user spoke: the answer begins, or has failed, and the words are not known. */
  unanswered(turn) {
    const speech = this.#unwritten.get(turn);
    if (!speech || speech.bubble) return;
    speech.bubble = this.#guess ?? this.#add("you");
    this.#guess = null;
    this.#tellLength(speech.bubble, "You spoke", speech.seconds);
  }

  // -- the program ------------------------------------------------------------------------------------

  replyStarted(turn) {
    this.unanswered(turn);
    if (this.flows || this.#replies.has(turn)) return;
    const item = this.#add("machine");
    this.#replies.set(turn, { items: [item], text: "", written: 0 });
    this.#tellLength(item, "Speaking", null);
  }

  reply({ turn, text }) {
    const reply = this.#replies.get(turn) ?? { items: [], text: "", written: 0 };
    this.#replies.set(turn, reply);
    let item = reply.items.at(-1);
    if (!item || (this.flows && item !== this.#list.lastElementChild)) {
      reply.items.push((item = this.#add("machine")));
    }
    item.className = "machine";
    const paused = this.flows && performance.now() - reply.written > PARAGRAPH_MS;
    if (!item.querySelector("p")) item.replaceChildren(document.createElement("p"));
    else if (paused) item.append(document.createElement("p"));
    item.lastElementChild.append(text);
    reply.text += text;
    reply.written = performance.now();
    this.#show();
  }

  /** End a reply; if it was interrupted, strike out the part that was not heard. */
  done({ turn, state, heard, marks }) {
    this.#unwritten.delete(turn);
    const reply = this.#replies.get(turn);
    if (!reply) return;
    this.#replies.delete(turn);
    const interrupted = state === "interrupted";
    if (!reply.text) {
      const [item] = reply.items;
      this.#tellLength(item, "Spoke", marks.heard_to - marks.first_audio);
      if (interrupted) item.append(" ", struck("…"));
    } else if (interrupted) {
      strikeOut(reply.items.flatMap((item) => [...item.children]), reply.text.length - heard.length);
    }
  }

  note(text) {
    this.#add("note").textContent = text;
    this.#show();
  }

  /** Make `item` a bubble of speech without words; `seconds` is null while the speech goes on. */
  #tellLength(item, who, seconds) {
    item.classList.add("voice");
    item.classList.toggle("live", seconds === null);
    const spoken = document.createElement("span");
    spoken.className = "sr";
    spoken.textContent = seconds === null ? `${who} …` : `${who} for `;
    item.replaceChildren(spoken, seconds === null ? "" : `${seconds.toFixed(1)} s`);
    this.#show();
  }

  #add(kind) {
    const item = document.createElement("li");
    item.className = kind;
    this.#list.append(item);
    return item;
  }

  #show() {
    this.#list.lastElementChild?.scrollIntoView({ block: "end" });
  }
}

/** Strike out the last `count` characters of these paragraphs; if `count` is 0, show that the reply went on. */
function strikeOut(paragraphs, count) {
  if (count <= 0) return paragraphs.at(-1)?.append(struck(" …"));
  for (const paragraph of paragraphs.reverse()) {
    const text = paragraph.textContent;
    const kept = Math.max(0, text.length - count);
    paragraph.replaceChildren(text.slice(0, kept), struck(text.slice(kept)));
    if ((count -= text.length) <= 0) return;
  }
}

function struck(text) {
  const cut = document.createElement("del");
  cut.textContent = text;
  return cut;
}
