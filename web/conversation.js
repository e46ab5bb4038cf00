// The conversation as the user begins and ends it, and what there is to know of the server.

import { Comeback } from "./comeback.js";
import { fetchInfo } from "./info.js";

const NEW_SESSION = "New conversation: earlier turns are not remembered";

export class Conversation {
  #page;
  #comeback = new Comeback();

  /** `page` holds call, card, details, messages, outgoing, settings, silence, transcript and trouble. */
  constructor(page) {
    this.#page = page;
    page.call.addEventListener("begin", () => this.#begun());
  }

  begin() {
    this.#page.trouble.hide();
    this.#page.call.begin({ talk: true });
  }

  /** Begin with the microphone, or add it to a conversation that was only typed. */
  talk() {
    if (this.#page.call.now.connection === "off") return this.begin();
    this.#page.trouble.hide();
    this.listen();
  }

  /** Use the microphone that the user chose. */
  async listen() {
    this.#page.silence.end(); // another microphone has not been heard yet
    if (await this.#page.call.listen()) this.#page.silence.watch();
  }

  end() {
    const { outgoing, trouble, silence, call, transcript } = this.#page;
    outgoing.lost();
    trouble.hide();
    silence.end();
    call.end();
    transcript.forget();
  }

  #begun() {
    const { card, call, transcript, outgoing } = this.#page;
    card.fold();
    this.#comeback.end();
    if (!call.resumes) transcript.divide(NEW_SESSION, outgoing.waiting);
  }

  // -- the server -------------------------------------------------------------------------------------

  connected() {
    if (this.#page.call.sound.listens) this.#page.silence.watch();
    this.showInfo();
  }

  /** Show what runs on the server; false: it does not say. */
  async showInfo() {
    const { settings, details, card, messages } = this.#page;
    try {
      const { token } = settings.values;
      const info = await fetchInfo(token);
      settings.offer(info);
      details.offer(info);
      card.offer(info, token);
      return true;
    } catch (error) {
      if (error.status === undefined) throw error;
      if (error.status === 401) messages.askForToken(error.message);
      return false;
    }
  }

  /** Turn this card, which says that the server is away, into one that says that it is back. */
  awaitServer(shown) {
    this.#comeback.watch(shown, () => {
      const action = { label: "Talk again", run: () => this.begin() };
      this.#page.trouble.show({ title: "The server is back", action });
      this.showInfo();
    });
  }
}
