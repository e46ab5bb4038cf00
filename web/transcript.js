// The conversation as text: partial and final transcripts, and replies with the unheard part struck out.

export class Transcript {
  #list;
  #guess = null; // the bubble of the partial transcript
  #replies = new Map(); // turn ▶ {item, text}

  constructor(list) {
    this.#list = list;
  }

  guess({ text, stable_chars: stable }) {
    this.#guess ??= this.#add("you");
    const rest = document.createElement("span");
    rest.className = "guess";
    rest.textContent = text.slice(stable);
    this.#guess.replaceChildren(text.slice(0, stable), rest);
    this.#show();
  }

  said({ text }) {
    (this.#guess ?? this.#add("you")).textContent = text;
    this.#guess = null;
    this.#show();
  }

  /** Remove the partial transcript: the speech came to nothing. */
  unsaid() {
    this.#guess?.remove();
    this.#guess = null;
  }

  reply({ turn, text }) {
    const reply = this.#replies.get(turn) ?? { item: this.#add("machine"), text: "" };
    this.#replies.set(turn, reply);
    reply.text += text;
    reply.item.textContent = reply.text;
    this.#show();
  }

  /** End a reply; if it was interrupted, strike out the part that was not heard. */
  done({ turn, state, heard }) {
    const reply = this.#replies.get(turn);
    if (!reply) return;
    this.#replies.delete(turn);
    if (state !== "interrupted") return;
    const cut = document.createElement("del");
    cut.textContent = reply.text.slice(heard.length) || " …";
    reply.item.replaceChildren(heard, cut);
  }

  note(text) {
    this.#add("note").textContent = text;
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
