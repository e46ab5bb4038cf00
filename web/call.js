// One conversation with the server, from the tap that begins it to its end: sound, connection and situation.

import { Connection } from "./connection.js";
import { MicrophoneError, Sound } from "./sound.js";
import { Situation } from "./state.js";

const QUIET = 0.01; // peak below which a full-duplex model counts as silent: -40 dB
const PAUSE_MS = 500; // pause between words during which the model still counts as speaking
const NO_SERVER = { event_rate: 16000, takes_text: true, takes_turns: false };

/**
 * Dispatches "change" when there is something else to show, "begin" when a conversation begins, "message" with
 * each message of the server, "unreachable" if there is no server, "deaf" with a MicrophoneError, "mute-loudspeaker"
 * when the chosen one is not there, and "played" with the figures of the playback.
 */
export class Call extends EventTarget {
  now = new Situation();
  sound = new Sound();
  connection = null;
  server = NO_SERVER; // its welcome message
  #settings;
  #attempt = 0;
  #muted = false;
  #loudAt = -Infinity; // time at which the model was last loud, in ms
  #holding = false;
  #owed = ""; // how the user ended a hold while the connection was lost: "commit" or "cancel"
  #asking = false;
  #earlier = null; // a conversation of the page before the reload, as `save` returned it

  constructor(settings) {
    super();
    this.#settings = settings;
    this.sound.addEventListener("packet", ({ detail }) => this.connection?.sendAudio(detail.audio));
    this.sound.addEventListener("played", ({ detail }) => this.#played(detail));
    for (const name of ["online", "offline"]) addEventListener(name, () => this.connection?.check());
    document.addEventListener("visibilitychange", () => document.hidden || this.connection?.check());
  }

  // -- beginning and ending ---------------------------------------------------------------------------

  /** Connect. `talk`: with the microphone, else for typed text only. */
  async begin({ talk }) {
    const attempt = ++this.#attempt;
    this.now.connection = "connecting";
    this.#tell("begin");
    this.#changed();
    const { loudspeaker, volume } = this.#settings.values;
    try {
      await this.sound.open(volume);
    } catch (error) {
      if (attempt !== this.#attempt) return; // ended in the meantime
      await this.#stop();
      if (error instanceof MicrophoneError) return this.#tell("deaf", error);
      return this.#tell("unreachable"); // the files of the sound did not come
    }
    if (attempt !== this.#attempt) return;
    if (loudspeaker) await this.useLoudspeaker();
    if (talk && !(await this.listen())) {
      if (attempt === this.#attempt) await this.#stop();
      return;
    }
    if (attempt === this.#attempt) this.#connect();
  }

  /** What a page needs to go on with this conversation after a reload. */
  save() {
    const owed = this.#holding ? "cancel" : this.#owed; // the rest would not be heard
    return this.#earlier ?? { ...this.connection?.save(), now: this.now.save(), owed };
  }

  /** Go on with what `save` returned, once the user begins. */
  restore(saved) {
    this.#earlier = saved.key ? saved : null;
    this.#changed();
  }

  /** True if there is a conversation to go on with. */
  get resumes() {
    return this.#earlier !== null;
  }

  async end() {
    this.#earlier = null;
    await this.#stop();
  }

  async #stop() {
    this.#attempt += 1;
    this.connection?.hangUp();
    this.connection = null;
    this.server = NO_SERVER;
    this.#muted = this.#holding = false;
    this.now.connection = "off";
    this.now.reset();
    await this.sound.end();
    this.#changed();
  }

  /** Begin a new conversation on the server, which knows nothing of this one. */
  renew() {
    this.#earlier = null;
    if (!this.connection) return;
    this.sound.flush({ ...this.connection.position, sample: 0 });
    this.connection.hangUp();
    this.now.connection = "connecting";
    this.now.reset();
    this.#connect();
    this.#changed();
  }

  retry() {
    this.connection?.connect();
  }

  #connect() {
    const connection = new Connection(this.sound.context.sampleRate, () => this.#settings.values.token);
    this.connection = connection;
    for (const name of ["welcome", "pcm", "flush", "duck", "error", "away", "gone", "event"]) {
      connection.addEventListener(name, ({ detail }) => connection === this.connection && this.#read(name, detail));
    }
    if (this.#earlier) connection.resume(this.#earlier);
    else connection.connect();
  }

  async #read(name, message) {
    if (name === "pcm") return this.sound.play(message);
    if (name === "flush" || name === "duck") return this.sound[name](message);
    if (name === "welcome") this.#welcome(message);
    else if (name === "away") this.now.connection = message.text ? "connecting" : "lost"; // a text: it is full
    else if (name === "gone") await this.end();
    else if (name === "event" && !(this.server.takes_turns && message.event === "ReplyStarted")) {
      this.now.follow(message);
    }
    this.#tell("message", { ...message, type: name });
    this.#changed();
  }

  #welcome(message) {
    this.server = message;
    this.now.connection = "open";
    if (message.resumed && this.#earlier) {
      this.now.restore(this.#earlier.now);
      this.#owed = this.#earlier.owed;
    }
    if (!message.resumed || message.missed) this.now.reset();
    if (!message.resumed) this.sound.duck({ gain: 1 }); // the session from before may have left it lower
    else if (this.#owed) this.connection.send(this.#owed);
    this.#owed = "";
    this.#earlier = null;
    if (message.anew) this.#tell("begin");
    this.tellSettings();
  }

  // -- microphone and loudspeaker ---------------------------------------------------------------------

  /** Use the microphone that the user chose; false if that does not work. */
  async listen() {
    this.#asking = true;
    this.#changed();
    try {
      await this.sound.listen(this.#settings.values.microphone);
    } catch (error) {
      this.#tell("deaf", error);
      return false;
    } finally {
      this.#asking = false;
    }
    this.sound.muted = this.#muted;
    this.#changed();
    return true;
  }

  async useLoudspeaker() {
    try {
      await this.sound.useLoudspeaker(this.#settings.values.loudspeaker);
    } catch {
      this.#tell("mute-loudspeaker");
    }
  }

  mute(on = !this.#muted) {
    this.sound.muted = this.#muted = on;
    this.#changed();
  }

  /** True while the browser may be asking the user for the microphone. */
  get asking() {
    return this.#asking;
  }

  get microphone() {
    if (!this.sound.listens) return "off";
    if (this.#muted) return "muted";
    return this.#settings.values.hands === "hold" ? "push" : "on";
  }

  #played(report) {
    if (report.position) this.connection?.send("played", report.position);
    if (this.server.takes_turns) {
      if (report.peak > QUIET) this.#loudAt = performance.now();
      this.now.sounds(performance.now() - this.#loudAt < PAUSE_MS);
      this.#changed();
    }
    this.#tell("played", report);
  }

  // -- what the user asks for -------------------------------------------------------------------------

  get holding() {
    return this.#holding;
  }

  /** Begin or end the user's turn by hand. */
  hold(on) {
    if (on === this.#holding || (on && (this.now.connection !== "open" || this.microphone !== "push"))) return;
    this.#holding = on;
    this.now.hold(on);
    this.#sendHold(on ? "start" : "commit");
  }

  /** Take back the turn that the user holds the button for. */
  cancel() {
    this.#holding = false;
    this.now.user = "silent";
    this.#sendHold("cancel");
  }

  #sendHold(type) {
    if (this.now.connection === "open") this.connection.send(type);
    else this.#owed = type;
    this.#changed();
  }

  interrupt() {
    this.connection?.send("interrupt");
  }

  /** Tell the server the settings; each that it may refuse in a message of its own. */
  tellSettings() {
    const { voice, language, instructions, patience, ...others } = this.#settings.forServer();
    for (const fields of [others, { patience }, { language }, { instructions }, { voice }]) {
      this.connection?.send("settings", fields);
    }
    this.#changed();
  }

  #changed() {
    this.now.microphone = this.microphone;
    this.#tell("change");
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
