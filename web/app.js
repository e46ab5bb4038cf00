// The page: joins the conversation, its display, the controls and the panels.

import { Call } from "./call.js";
import { FirstRunCard } from "./card.js";
import { Details } from "./details.js";
import { Dock } from "./dock.js";
import { fetchInfo } from "./info.js";
import { bindKeys } from "./keys.js";
import { Newest } from "./newest.js";
import { Orb } from "./orb.js";
import { Outgoing } from "./outgoing.js";
import { Settings } from "./settings.js";
import { Silence } from "./silence.js";
import { WORDS } from "./state.js";
import { Transcript } from "./transcript.js";
import { Trouble } from "./trouble.js";
import { endTrouble, microphoneTrouble } from "./troubles.js";
import { keepAwake } from "./wake.js";

const NEW_SESSION = "New conversation: earlier turns are not remembered";
const HINTS = {
  off: "or type a message below",
  connecting: "Allow the microphone if you are asked",
  listening: "You can speak at any time, even while it speaks",
  hearing: "", waiting: "Go on, I am listening", thinking: "",
  speaking: "Tap, or just talk, to interrupt",
  muted: "Tap to be heard again",
  ready: "Hold the button or the space bar while you talk",
  offline: "Trying again. Tap to try now.",
};

const part = (id) => document.getElementById(id);
const settings = new Settings(part("settings"));
const details = new Details(part("details"));
const card = new FirstRunCard(part("card"));
const trouble = new Trouble(part("trouble"));
const transcript = new Transcript(part("transcript"));
const newest = new Newest(part("stage"), part("transcript"), part("newest"));
const call = new Call(settings);
const orb = new Orb(part("orb"), () => call.sound.levels());
const dock = new Dock(part("dock"));
const outgoing = new Outgoing(call, transcript);
const figures = { sent: 0, played: 0, gaps: 0, waiting: 0, peak: 0 };
let ending = ""; // the reason that the server gave for the end of the session

// -- the display --------------------------------------------------------------------------------------

function render() {
  const { state, connection, microphone, reply } = call.now;
  orb.show(state);
  part("state").dataset.state = state;
  for (const id of ["state", "word"]) part(id).textContent = WORDS[state];
  part("hint").textContent = HINTS[state];
  dock.show({ connection, microphone, reply, takesText: call.server.takes_text });
  document.title = connection === "off" ? "Speech to speech" : `${WORDS[state]} · Speech to speech`;
  document.body.classList.toggle("empty", transcript.empty);
  for (const id of ["copy", "clear"]) part(id).hidden = transcript.empty;
  keepAwake(connection !== "off");
}

/** Say something to users of screen readers, after what they are reading. */
function announce(text) {
  part("announcement").textContent = text;
}

function complain(card) {
  trouble.show(card);
  announce(`${card.title}. ${card.text ?? ""}`);
}

// -- messages of the server ---------------------------------------------------------------------------

const MESSAGES = {
  welcome({ resumed, rate, takes_turns: takesTurns }) {
    if (!resumed) transcript.forget();
    transcript.flows = takesTurns;
    transcript.rate = rate;
    trouble.hide();
    outgoing.opened();
    if (call.sound.listens) silence.watch();
    showInfo();
  },
  error({ code, text }) {
    if (code === "unknown_voice") return settings.refuse("voice", text);
    if (code === "unauthorized") return; // the connection is closed, and that is told
    if (code === "speech_only" || code === "busy") outgoing.refused();
    complain({ title: "The server refused that", text });
  },
  away({ text }) {
    outgoing.lost();
    if (!text) return;
    complain({ title: "The server is full", text: "Trying again…", action: { label: "Stop trying", run: end } });
  },
  gone(message) {
    outgoing.lost();
    transcript.forget();
    if (message.code === "unauthorized" && message.text.includes("token")) return askForToken();
    const action = { label: "Talk again", run: begin };
    complain({ ...endTrouble(message, ending), action });
  },
  event: (event) => EVENTS[event.event]?.(event),
};

const EVENTS = {
  SpeechStarted: ({ sample }) => transcript.speechStarted(sample / call.server.event_rate),
  TurnPending: ({ longest_ms: longest }) => orb.wait(longest),
  SpeechEnded: ({ speech_end_sample: sample }) => transcript.speechEnded(sample / call.server.event_rate),
  SpeechCancelled: () => transcript.unsaid(),
  TurnCommitted(event) {
    transcript.committed(event);
    if (event.origin === "text") outgoing.begun();
  },
  PartialTranscript: (event) => transcript.guess(event),
  Transcript(event) {
    transcript.said(event);
    announce(`You said: ${event.text}`);
  },
  ReplyStarted: ({ turn }) => transcript.replyStarted(turn),
  ReplyText: (event) => transcript.reply(event, call.connection.position.sample),
  TurnDone(event) {
    transcript.done(event);
    details.turnDone(event);
    if (event.state !== "dropped" && !event.user_text && !event.heard) transcript.unsaid();
  },
  ErrorEvent({ turn, code, text }) {
    transcript.unanswered(turn);
    remark(code === "nothing_said" ? "I heard nothing. Hold the button while you talk." : text);
  },
  FramesLate: ({ frames, worst_ms }) =>
    transcript.note(
      `${frames} frame${frames === 1 ? "" : "s"} of the reply left out: up to ${worst_ms.toFixed(0)} ms too late`,
    ),
  NoticeGiven: ({ text }) => transcript.note(text),
  SessionEnded: ({ reason }) => (ending = reason),
};

function remark(text) {
  transcript.note(text, "failed");
  announce(text);
}

function askForToken() {
  const wrong = Boolean(settings.values.token);
  const title = wrong ? "That token is wrong" : "This server needs a token";
  const run = () => settings.refuse("token", title);
  complain({ title, text: "Ask whoever runs the server for it.", action: { label: "Enter the token", run } });
}

/** Show what runs on the server; a server that refuses says so when the user connects. */
async function showInfo() {
  try {
    const { token } = settings.values;
    const info = await fetchInfo(token);
    settings.offer(info);
    details.offer(info);
    card.offer(info, token);
  } catch (error) {
    if (error.status === undefined) throw error;
  }
}

// -- the conversation ---------------------------------------------------------------------------------

function begin() {
  trouble.hide();
  call.begin({ talk: true });
}

function end() {
  outgoing.lost();
  trouble.hide();
  silence.end();
  call.end();
  transcript.forget();
}

call.addEventListener("begin", () => {
  ending = "";
  if (!transcript.empty) transcript.divide(NEW_SESSION);
});
call.addEventListener("change", render);
call.addEventListener("message", ({ detail }) => {
  details.log(detail);
  MESSAGES[detail.type](detail);
  render();
});
call.addEventListener("deaf", ({ detail: { name } }) => {
  outgoing.lost();
  const choose = name === "OverconstrainedError";
  const action = choose ? { label: "Choose another", run: () => settings.open() } : { label: "Try again", run: talk };
  complain({ ...microphoneTrouble(name), action });
});
call.addEventListener("mute-loudspeaker", () => {
  const action = { label: "Choose another", run: () => settings.open() };
  complain({ title: "The loudspeaker is not plugged in", text: "The system's own is used.", action });
});

/** Begin with the microphone, or add it to a conversation that was only typed. */
function talk() {
  if (call.now.connection === "off") return begin();
  trouble.hide();
  call.listen();
}

// -- microphone and loudspeaker -----------------------------------------------------------------------

const silence = new Silence((silent) => {
  if (!silent) return trouble.hide();
  if (call.now.connection !== "open" || call.microphone === "muted") return;
  const action = { label: "Choose another", run: () => settings.open() };
  complain({ title: `I hear nothing from “${call.sound.microphone}”`, text: "Is it muted?", action });
});

call.sound.addEventListener("packet", ({ detail: { peak } }) => {
  figures.sent += 1;
  silence.hear(peak);
  settings.level(peak);
});

call.sound.addEventListener("unplugged", () => {
  end();
  complain({ title: "The microphone was unplugged", action: { label: "Try again", run: begin } });
});

call.addEventListener("played", ({ detail }) => {
  Object.assign(figures, detail);
  if (detail.position) transcript.played(detail.position);
  if (details.isOpen) showFigures();
});

function showFigures() {
  const { connection, sound } = call;
  const rate = connection?.rate ?? 1;
  details.figures({
    "packets sent": figures.sent,
    "packets received": connection?.received ?? 0,
    "packets played": ((50 * figures.played) / rate).toFixed(1),
    "waiting to be played": `${((1000 * figures.waiting) / rate).toFixed(0)} ms`,
    "gaps": figures.gaps,
    "loudspeaker": figures.peak > 0.001 ? "sounding" : "silent",
    "audio": `${sound.context?.state ?? "off"}, ${sound.context?.sampleRate ?? "–"} Hz`,
    "reconnected": connection?.reconnected ?? 0,
  });
}

// -- the user's controls ------------------------------------------------------------------------------

/** A tap on the round button does what its state suggests. */
function tap() {
  const { connection, microphone, user, reply } = call.now;
  if (connection === "connecting") return;
  if (connection === "lost") return call.retry();
  if (connection === "off") return begin();
  if (reply !== "none" || user === "finished") return call.interrupt();
  if (microphone === "off") return talk();
  if (microphone === "push") return call.hold(!call.holding); // by a key or a screen reader
  call.mute();
}

let pressed = false; // the round button is held with a pointer, whose click means nothing more

part("orb").onpointerdown = (event) => {
  if (event.button !== 0) return;
  call.hold(true);
  pressed = call.holding;
  if (pressed) part("orb").setPointerCapture(event.pointerId);
};
for (const name of ["pointerup", "pointercancel"]) {
  part("orb").addEventListener(name, () => pressed && call.hold(false));
}
part("orb").onclick = () => {
  if (!pressed) tap();
  pressed = false;
};
part("orb").oncontextmenu = (event) => event.preventDefault(); // of a long press

dock.addEventListener("mute", () => (call.microphone === "off" ? talk() : call.mute()));
dock.addEventListener("stop", () => call.interrupt());
dock.addEventListener("end", end);
dock.addEventListener("text", ({ detail }) => {
  trouble.hide();
  outgoing.send(detail);
  newest.show();
  render();
});

part("show-settings").onclick = () => settings.toggle();
part("show-details").onclick = () => toggleDetails();
part("show-help").onclick = () => part("help").showModal();
part("copy").onclick = () => navigator.clipboard?.writeText(transcript.text);
part("clear").onclick = () => part("clearing").showModal();
part("clearing").onclose = ({ target }) => {
  if (target.returnValue !== "clear") return;
  target.returnValue = "";
  transcript.clear();
  call.renew();
  render();
};

function toggleDetails() {
  details.toggle();
  if (details.isOpen) showFigures();
}

bindKeys({
  space(down) {
    if (call.microphone === "push" && call.now.connection === "open") call.hold(down);
    else if (down) tap();
  },
  escape() {
    if (call.holding) call.cancel();
    else call.interrupt();
  },
  m: () => (call.microphone === "off" ? talk() : call.mute()),
  t: () => dock.type(),
  s: () => settings.toggle(),
  d: () => toggleDetails(),
  "?": () => part("help").showModal(),
});

settings.addEventListener("change", ({ detail: { name } }) => {
  const { connection } = call.now;
  if (name === "volume") call.sound.volume = settings.values.volume;
  else if (name === "token") showInfo().then(() => connection === "off" && begin());
  else if (name === "microphone" && call.sound.listens) call.listen().then((heard) => heard && silence.watch());
  else if (name === "loudspeaker" && connection !== "off") call.useLoudspeaker();
  else call.tellSettings();
});
card.addEventListener("changed", showInfo);

showInfo();
render();
