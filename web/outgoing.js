// Typed texts on their way to the server, which counts those that it gets in a session.

const UNSENT = "Not sent";
const UNANSWERED = "Not answered"; // the session has ended; whether the text came in time is not known

export class Outgoing {
  #call;
  #transcript;
  #waiting = []; // {text, bubble}: for a connection that is being made
  #sent = []; // {text, bubble, number, begun}: since the connection was made
  #number = 0; // of the last text

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

  /** The bubbles of the texts of which the server has said nothing yet, with their numbers. */
  get numbers() {
    return new Map(this.#sent.filter(({ begun }) => !begun).map(({ bubble, number }) => [bubble.item, number]));
  }

  /** Take over a bubble from an earlier page. `fate`: why it can be sent again, if so; `number`: of its text. */
  adopt(bubble, { fate, number }) {
    const message = { text: bubble.paragraphs[0]?.textContent, bubble, number };
    if (fate) this.#fail(message, fate);
    else if (number) this.#sent.push(message);
  }

  /** There is a connection, and so many texts have come in its session. What became of them, events tell that
   * follow, unless those were `missed`. */
  opened({ resumed, missed, texts }) {
    if (!resumed) this.#unanswered();
    for (const message of this.#sent.splice(0)) {
      if (message.number > texts) this.#fail(message, UNSENT);
      else if (!message.begun && !missed) this.#sent.push(message);
    }
    this.#number = texts;
    for (const message of this.#waiting.splice(0)) this.#pass(message);
  }

  /** The turn of the oldest text has begun. */
  begun() {
    const message = this.#oldest;
    if (message) message.begun = true;
  }

  /** The server does not answer the oldest text. */
  refused() {
    const message = this.#oldest;
    if (!message) return;
    message.begun = true;
    this.#fail(message, UNSENT);
  }

  /** The connection is lost. What was sent may have come, which the next connection tells; of the rest, the user
   * decides what is sent again. */
  cut() {
    for (const message of this.#waiting.splice(0)) this.#fail(message, UNSENT);
  }

  /** The session is over. */
  lost() {
    this.#unanswered();
    this.cut();
  }

  get #oldest() {
    return this.#sent.find(({ begun }) => !begun);
  }

  #unanswered() {
    for (const message of this.#sent.splice(0)) if (!message.begun) this.#fail(message, UNANSWERED);
  }

  #pass({ text, bubble }) {
    const message = { text, bubble, number: this.#number + 1, begun: false };
    const { connection } = this.#call.now;
    if (connection === "lost") return this.#fail(message, UNSENT);
    if (connection !== "open") return this.#waiting.push(message);
    this.#number = message.number;
    this.#sent.push(message);
    this.#call.connection.send("respond", { text });
  }

  #fail(message, fate) {
    message.bubble.unsent(fate, () => this.#again(message));
  }

  #again(message) {
    const { connection } = this.#call.now;
    if (connection === "open") return this.#pass(message);
    this.#waiting.push(message);
    if (connection === "off") this.#call.begin({ talk: false });
    else this.#call.retry();
  }
}
