// Typed texts on their way to the server.

export class Outgoing {
  #call;
  #transcript;
  #waiting = []; // {text, bubble}: for a connection that is being made
  #sent = []; // the server has not begun their turns

  constructor(call, transcript) {
    this.#call = call;
    this.#transcript = transcript;
  }

  send(text) {
    if (this.#call.now.connection === "off") this.#call.begin({ talk: false });
    this.#pass({ text, bubble: this.#transcript.typed(text) });
  }

  /** The bubbles of the texts that wait for a connection. */
  get waiting() {
    return this.#waiting.map(({ bubble }) => bubble.item);
  }

  /** Take over a bubble whose text was not sent, from an earlier page. */
  adopt(bubble) {
    this.#fail({ text: bubble.paragraphs[0].textContent, bubble });
  }

  /** There is a connection. */
  opened() {
    for (const message of this.#waiting.splice(0)) this.#pass(message);
  }

  /** The turn of the oldest text has begun. */
  begun() {
    this.#sent.shift();
  }

  /** The server does not answer the oldest text. */
  refused() {
    const message = this.#sent.shift();
    if (message) this.#fail(message);
  }

  /** The connection is lost: the user decides what is sent again. */
  lost() {
    for (const message of [...this.#sent.splice(0), ...this.#waiting.splice(0)]) this.#fail(message);
  }

  #pass(message) {
    const { connection } = this.#call.now;
    if (connection === "lost") return this.#fail(message);
    if (connection !== "open") return this.#waiting.push(message);
    this.#sent.push(message);
    this.#call.connection.send("respond", { text: message.text });
  }

  #fail(message) {
    message.bubble.unsent(() => this.#again(message));
  }

  #again(message) {
    const { connection } = this.#call.now;
    if (connection === "open") return this.#pass(message);
    this.#waiting.push(message);
    if (connection === "off") this.#call.begin({ talk: false });
    else this.#call.retry();
  }
}
