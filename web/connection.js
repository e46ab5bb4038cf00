// The connection to the server: a WebSocket that reconnects by itself and resumes the conversation.

import { Heartbeat } from "./heartbeat.js";

const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 8000;
const SILENT = 4000; // with which the page closes a dead connection; after 1000, the session would end
const GIVEN_UP = new Map([
  [1000, "The conversation has ended"],
  [1008, "The server refused the connection"],
  [1009, "The server could not accept a message"],
  [4002, "This conversation continues in another window"],
]);

export class Connection extends EventTarget {
  #socket = null;
  #key = "";
  #wanted = false;
  #wait = FIRST_WAIT_MS;
  #position = { turn: 0, sample: 0 };
  #events = 0; // that have come in this session
  #error = { code: "", text: "" }; // the server's last one
  #retry = 0; // the timer of the next attempt
  #earlier = false; // there was a session before
  #heartbeat = new Heartbeat(() => this.send("ping"), () => this.#dead());
  received = 0; // packets of audio
  reconnected = 0;

  /** `token()` returns the token to connect with, which the user may change between two attempts. */
  constructor(rate, token) {
    super();
    this.rate = rate;
    this.token = token;
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** What another page needs to resume the session; without a key there is none. */
  save() {
    return { key: this.#key, events: this.#events, position: this.#position };
  }

  /** Connect to the session of which `save` returned this. */
  resume({ key, events, position }) {
    this.#key = key;
    this.#events = events;
    this.#position = position;
    this.#earlier = true;
    this.connect();
  }

  /** The end of the audio that has arrived. */
  get position() {
    return this.#position;
  }

  /** The sample of this turn's reply up to which audio has arrived. */
  arrived(turn) {
    return this.#position.turn === turn ? this.#position.sample : 0;
  }

  /** Connect, or try again at once. */
  connect() {
    if (this.#socket?.readyState <= WebSocket.OPEN) return; // a second one would take the session over
    this.#wanted = true;
    clearTimeout(this.#retry);
    const url = new URL("/ws", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("rate", this.rate);
    if (this.#key) {
      url.searchParams.set("key", this.#key);
      url.searchParams.set("events", this.#events);
    }
    const token = this.token();
    const protocols = token ? ["s2s", `s2s-token.${token}`] : ["s2s"];
    this.#socket = new WebSocket(url, protocols);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#heartbeat.heard();
    this.#socket.onmessage = ({ data }) => {
      this.#heartbeat.heard();
      if (typeof data === "string") this.#read(data);
      else this.#hear(data);
    };
    this.#socket.onclose = ({ code }) => this.#closed(code);
    this.#heartbeat.begin();
  }

  /** Find out at once whether the connection is still alive; without one, try again at once. */
  check() {
    if (this.open) this.#heartbeat.check();
    else if (this.#wanted) this.connect();
  }

  hangUp() {
    this.#wanted = false;
    this.#key = "";
    clearTimeout(this.#retry);
    this.#heartbeat.end();
    this.#socket?.close(1000);
  }

  send(type, fields = {}) {
    if (this.open) this.#socket.send(JSON.stringify({ type, ...fields }));
  }

  sendAudio(buffer) {
    if (this.open) this.#socket.send(buffer);
  }

  #read(text) {
    const message = JSON.parse(text);
    if (message.type === "welcome") {
      message.resumed = this.#key === message.key;
      message.anew = this.#earlier && !message.resumed; // the session from before has ended
      this.#earlier = true;
      message.missed = message.resumed && message.events > this.#events; // some are lost for good
      this.#events = message.events;
      if (message.resumed) this.reconnected += 1;
      this.#key = message.key;
      this.#error = { code: "", text: "" };
      this.#wait = FIRST_WAIT_MS;
    } else if (message.type === "event") {
      this.#events += 1;
    } else if (message.type === "audio") {
      this.#position = { turn: message.turn, sample: message.sample };
    } else if (message.type === "error") {
      this.#error = message;
    }
    this.#tell(message.type, message);
  }

  #hear(pcm) {
    this.received += 1;
    const { turn, sample } = this.#position;
    this.#position.sample += pcm.byteLength / 2;
    this.#tell("pcm", { turn, sample, pcm });
  }

  /** Do not wait for the other side to agree to the close: it would take as long as the browser waits. */
  #dead() {
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close(SILENT);
    this.#closed(SILENT);
  }

  /** Tell "gone" if it is no use to try again, else "away" for how long. */
  #closed(code) {
    this.#heartbeat.end();
    const forgotten = code === 4001 && this.#key; // the session has ended: begin a new one
    if (forgotten) this.#key = "";
    if (!this.#wanted) return;
    if (forgotten) return this.connect();
    if (GIVEN_UP.has(code)) {
      this.#wanted = false;
      return this.#tell("gone", { ...this.#error, title: GIVEN_UP.get(code), ended: code === 1000 });
    }
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#tell("away", { seconds: wait / 1000, text: code === 1013 ? this.#error.text : "" });
    this.#retry = setTimeout(() => this.connect(), wait);
    this.#wait = Math.min(MAX_WAIT_MS, 2 * this.#wait);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
