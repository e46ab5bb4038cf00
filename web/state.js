// What the page shows: one state, a function of the connection, the microphone, the user and the reply.

export const WORDS = {
  off: "Tap to talk", connecting: "Connecting…", offline: "Offline", listening: "Listening",
  hearing: "Hearing you", waiting: "One moment…", thinking: "Thinking", speaking: "Speaking", muted: "Muted",
  ready: "Hold to talk",
};

const WITHOUT_SPEECH = { off: "off", on: "listening", muted: "muted", push: "ready" };

/**
 * The state to show, a key of `WORDS`. `connection`: off, connecting, open, lost; `microphone`: off, on, muted,
 * push; `user`: silent, speaking, pausing, finished; `reply`: none, speaking, held.
 */
export function display(connection, microphone, user, reply) {
  if (connection === "off" || connection === "connecting") return connection;
  if (connection === "lost") return "offline";
  if (user === "speaking") return "hearing";
  if (user === "pausing") return "waiting";
  if (reply !== "none") return reply === "held" ? "waiting" : "speaking";
  return user === "finished" ? "thinking" : WITHOUT_SPEECH[microphone];
}

/** The four inputs, as the events of the server and the user's hands change them. */
export class Situation {
  connection = "off";
  microphone = "off";
  user = "silent";
  reply = "none";
  modelAway = false; // the server that hears and answers, behind ours
  #replying = 0; // the turn whose reply is heard
  #newest = 0; // the latest turn that was committed, or answered
  #over = 0; // the latest turn that is done
  #spoke = false; // the server heard speech since the button is held
  #committed = false; // a turn was committed while the user was speaking, and is answered at once

  get state() {
    const connection = this.modelAway && this.connection === "open" ? "lost" : this.connection;
    return display(connection, this.microphone, this.user, this.reply);
  }

  /** Forget the turns: the session is a new one, or has ended. */
  reset() {
    this.user = "silent";
    this.reply = "none";
    this.#replying = this.#newest = this.#over = 0;
    this.#committed = this.modelAway = false;
  }

  /** What a page needs to go on showing this after a reload. A user who was speaking is heard no more. */
  save() {
    const { reply, modelAway } = this;
    const user = this.user === "finished" ? "finished" : "silent";
    return { user, reply, modelAway, replying: this.#replying, newest: this.#newest, over: this.#over };
  }

  /** Go on with what `save` returned. */
  restore({ user, reply, modelAway, replying, newest, over }) {
    Object.assign(this, { user, reply, modelAway });
    this.#replying = replying;
    this.#newest = newest;
    this.#over = over;
  }

  /** The user holds the button down, or lets go of it, perhaps without having said anything. */
  hold(on) {
    if (on) this.#spoke = false;
    this.user = on ? "speaking" : this.#spoke ? "finished" : "silent";
  }

  /** A model that takes turns itself sends audio all the time; its loudness says whether it speaks. */
  sounds(loud) {
    this.reply = loud ? "speaking" : "none";
  }

  follow(event) {
    FOLLOW[event.event]?.(this, event);
  }

  speechStarted() {
    this.user = "speaking";
    this.#spoke = true;
    this.#committed = false;
  }

  /** An answer that is given while the user speaks may be over before the speech is. */
  speechEnded() {
    const answered = this.#committed && this.#over >= this.#newest;
    this.user = answered ? "silent" : "finished";
  }

  committed({ turn, origin, answered }) {
    if (origin === "duplex") return;
    this.#newest = Math.max(this.#newest, turn);
    this.#committed = this.user === "speaking";
    if (answered && this.user === "silent") this.user = "finished";
  }

  replyStarted({ turn }) {
    this.#replying = turn;
    this.#newest = Math.max(this.#newest, turn);
    this.reply = "speaking";
    if (this.user === "finished") this.user = "silent";
  }

  paused({ turn, paused }) {
    if (turn === this.#replying) this.reply = paused ? "held" : "speaking";
  }

  /** The end of an older turn leaves alone what is shown of a newer one. */
  done({ turn }) {
    this.#over = Math.max(this.#over, turn);
    if (turn === this.#replying) {
      this.reply = "none";
      this.#replying = 0;
    }
    if (turn >= this.#newest && this.user === "finished") this.user = "silent";
  }
}

const FOLLOW = {
  SpeechStarted: (now) => now.speechStarted(),
  TurnPending: (now, { pending }) => (now.user = pending ? "pausing" : "speaking"),
  SpeechEnded: (now) => now.speechEnded(),
  SpeechCancelled: (now) => (now.user = "silent"),
  TurnCommitted: (now, event) => now.committed(event),
  ReplyStarted: (now, event) => now.replyStarted(event),
  Paused: (now, event) => now.paused(event),
  TurnDone: (now, event) => now.done(event),
  ModelAway: (now, { away }) => (now.modelAway = away),
  ErrorEvent: (now, { code }) => code === "nothing_said" && (now.user = "silent"),
};
