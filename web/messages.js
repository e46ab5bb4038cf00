// What the page makes of the server's messages: the conversation, the cards, and what a screen reader is told.

import { endTrouble, FORGOTTEN, STOPPED } from "./troubles.js";

const UNMEANT = ["said over the reply, and no turn", "not meant for the program"]; // reasons of a turn without an answer

export class Messages {
  #page;
  #full = null; // the card that says that the server is full
  #ending = ""; // the reason that the server gave for the end of the session

  /** `page` holds call, conversation, details, display, orb, outgoing, settings, transcript and trouble. */
  constructor(page) {
    this.#page = page;
  }

  handle(message) {
    this[message.type]?.(message);
  }

  // -- of the connection ------------------------------------------------------------------------------

  welcome({ resumed, missed, rate, texts, takes_turns: takesTurns }) {
    const { conversation, transcript, trouble, outgoing } = this.#page;
    this.#ending = "";
    if (!resumed || missed) transcript.forget();
    transcript.flows = takesTurns;
    transcript.rate = rate;
    trouble.hide(this.#full); // other cards, such as that of an absent loudspeaker, are still true
    outgoing.opened({ resumed, missed, texts });
    conversation.connected();
  }

  error({ code, text, about }) {
    const { settings, outgoing, trouble } = this.#page;
    if (code === "unknown_voice") return settings.refuse("voice", text);
    if (["unauthorized", "forbidden", "full"].includes(code)) return; // the connection is closed, and that is told
    if (code === "gone") return this.#forgotten();
    if (about === "respond") outgoing.refused();
    trouble.show({ title: "The server refused that", text });
  }

  away({ text }) {
    const { conversation, outgoing, trouble } = this.#page;
    outgoing.cut();
    trouble.hide(this.#full);
    if (!text) return;
    const action = { label: "Stop trying", run: () => conversation.end() };
    this.#full = trouble.show({ title: "The server is full", text: "Trying again…", action });
  }

  gone(message) {
    const { conversation, outgoing, transcript, trouble } = this.#page;
    outgoing.lost();
    transcript.forget();
    if (message.code === "unauthorized" && this.askForToken(message.text)) return;
    const action = { label: "Talk again", run: () => conversation.begin() };
    const shown = trouble.show({ ...endTrouble(message, this.#ending), action });
    if (message.ended && this.#ending === STOPPED) conversation.awaitServer(shown);
  }

  event(event) {
    this[event.event]?.(event);
  }

  /** A new session follows by itself. */
  #forgotten() {
    const { transcript, display } = this.#page;
    if (transcript.empty) return;
    transcript.note(FORGOTTEN);
    display.announce(FORGOTTEN);
  }

  /** Ask the user for the token if that is what the server said; false: it was something else. */
  askForToken(said) {
    if (!said.includes("token")) return false;
    const { settings, trouble } = this.#page;
    const title = settings.values.token ? "That token is wrong" : "This server needs a token";
    const secret = { label: "Token", action: "Connect", run: (token) => settings.useToken(token) };
    trouble.show({ title, text: "Ask whoever runs the server for it.", secret });
    return true;
  }

  // -- events of the session --------------------------------------------------------------------------

  SpeechStarted({ sample }) {
    const { transcript, call } = this.#page;
    transcript.speechStarted(sample / call.server.event_rate);
  }

  SpeechEnded({ speech_end_sample: sample }) {
    const { transcript, call } = this.#page;
    transcript.speechEnded(sample / call.server.event_rate);
  }

  SpeechCancelled() {
    this.#page.transcript.unsaid();
  }

  TurnPending({ longest_ms: longest }) {
    this.#page.orb.wait(longest);
  }

  TurnCommitted(event) {
    this.#page.transcript.committed(event);
    if (event.origin === "text") this.#page.outgoing.begun();
  }

  PartialTranscript(event) {
    this.#page.transcript.guess(event);
  }

  Transcript(event) {
    this.#page.transcript.said(event);
    this.#page.display.announce(`You said: ${event.text}`);
  }

  ReplyStarted({ turn }) {
    this.#page.transcript.replyStarted(turn);
  }

  ReplyText(event) {
    this.#page.transcript.reply(event, this.#page.call.connection.arrived(event.turn));
  }

  TurnDone(event) {
    const { transcript, details } = this.#page;
    transcript.done(event);
    details.turnDone(event);
    if (UNMEANT.includes(event.reason)) transcript.unmeant();
    else if (event.state !== "dropped" && !event.user_text && !event.heard) transcript.unsaid();
  }

  ErrorEvent({ turn, code, text }) {
    const { transcript, display } = this.#page;
    transcript.unanswered(turn);
    const remark = code === "nothing_said" ? "I heard nothing. Hold the button while you talk." : text;
    transcript.note(remark, "failed");
    display.announce(remark);
  }

  FramesLate({ frames, worst_ms: worst }) {
    const what = `${frames} frame${frames === 1 ? "" : "s"} of the reply left out`;
    this.#page.transcript.note(`${what}: up to ${worst.toFixed(0)} ms too late`);
  }

  NoticeGiven({ text }) {
    this.#page.transcript.note(text);
  }

  SessionEnded({ reason }) {
    this.#ending = reason;
  }
}
