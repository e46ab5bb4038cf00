// The page: joins the conversation, its display, the controls and the panels.

import { Call } from "./call.js";
import { FirstRunCard } from "./card.js";
import { Comeback } from "./comeback.js";
import { Details } from "./details.js";
import { Dock } from "./dock.js";
import { copies } from "./elements.js";
import { Figures } from "./figures.js";
import { fetchInfo } from "./info.js";
import { leaveKeepsake, takeKeepsake } from "./keepsake.js";
import { bindKeys } from "./keys.js";
import { Messages } from "./messages.js";
import { Newest } from "./newest.js";
import { Orb } from "./orb.js";
import { Outgoing } from "./outgoing.js";
import { Press } from "./press.js";
import { Settings } from "./settings.js";
import { Silence } from "./silence.js";
import { WORDS } from "./state.js";
import { Transcript } from "./transcript.js";
import { Trouble } from "./trouble.js";
import { microphoneTrouble } from "./troubles.js";
import { keepAwake } from "./wake.js";

const NEW_SESSION = "New conversation: earlier turns are not remembered";
const MODEL_AWAY = "The model's server cannot be reached. Trying again…";
const HINTS = {
  off: "or type a message below", connecting: "",
  listening: "You can speak at any time, even while it speaks",
  hearing: "", waiting: "Go on, I am listening", thinking: "",
  speaking: "Tap, or just talk, to interrupt",
  muted: "Tap to be heard again",
  ready: matchMedia("(pointer: coarse)").matches
    ? "Hold it while you talk"
    : "Hold it, or the space bar, while you talk",
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
const figures = new Figures();
const comeback = new Comeback();
const press = new Press(part("orb"), call, talk);
const messages = new Messages({
  call, transcript, outgoing, settings, details, trouble, orb, announce, connected, begin, end, awaitServer,
});

// -- the display --------------------------------------------------------------------------------------

function render() {
  const { state, connection, microphone, reply } = call.now;
  const word = call.resumes && connection === "off" ? "Tap to go on" : WORDS[state];
  orb.show(state);
  part("state").dataset.state = state;
  for (const id of ["state", "word"]) part(id).textContent = word;
  part("hint").textContent = hint(state);
  dock.show({ connection, microphone, reply, takesText: call.server.takes_text });
  document.title = connection === "off" ? "Speech to speech" : `${word} · Speech to speech`;
  document.body.classList.toggle("empty", transcript.empty);
  document.body.classList.toggle("holds", microphone === "push");
  part("clear").hidden = transcript.empty;
  part("copy").hidden = transcript.empty || !navigator.clipboard; // secure pages only
  keepAwake(connection !== "off");
}

function hint(state) {
  if (call.asking) return "Allow the microphone if you are asked";
  if (call.now.modelAway && call.now.connection === "open") return MODEL_AWAY;
  return state === "speaking" && call.microphone !== "on" ? "Tap to interrupt" : HINTS[state];
}

/** Say something to users of screen readers, after what they are reading. */
function announce(text) {
  part("announcement").textContent = text;
}

// -- the server ---------------------------------------------------------------------------------------

function connected() {
  if (call.sound.listens) silence.watch();
  showInfo();
}

/** Show what runs on the server; false: it does not say. */
async function showInfo() {
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
function awaitServer(shown) {
  comeback.watch(shown, () => {
    trouble.show({ title: "The server is back", action: { label: "Talk again", run: begin } });
    showInfo();
  });
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
  card.fold();
  keeps = true;
  comeback.end();
  if (!call.resumes) transcript.divide(NEW_SESSION, outgoing.waiting);
});
call.addEventListener("change", render);
call.addEventListener("message", ({ detail }) => {
  details.log(detail);
  messages.handle(detail);
  render();
});
call.addEventListener("unreachable", () => {
  outgoing.lost();
  const action = { label: "Try again", run: begin };
  awaitServer(trouble.show({ title: "The server cannot be reached", text: "Is it running?", action }));
});
call.addEventListener("deaf", ({ detail: { name } }) => {
  outgoing.lost();
  const choose = name === "OverconstrainedError";
  const action = choose ? { label: "Choose another", run: () => settings.open() } : { label: "Try again", run: talk };
  const other = window.isSecureContext ? { label: "Type instead", run: () => dock.type() } : null;
  trouble.show({ ...microphoneTrouble(name), action, other });
});
call.addEventListener("mute-loudspeaker", () => {
  const action = { label: "Choose another", run: () => settings.open() };
  trouble.show({ title: "The loudspeaker is not plugged in", text: "The system's default is used instead.", action });
});

/** Begin with the microphone, or add it to a conversation that was only typed. */
function talk() {
  if (call.now.connection === "off") return begin();
  trouble.hide();
  call.listen().then((heard) => heard && silence.watch());
}

// -- microphone and loudspeaker -----------------------------------------------------------------------

let unheard = null; // the card that says that nothing comes from the microphone
const silence = new Silence((silent) => {
  if (!silent) return trouble.hide(unheard);
  if (call.now.connection !== "open" || call.microphone === "muted") return;
  const action = { label: "Choose another", run: () => settings.open() };
  unheard = trouble.show({ title: `I hear nothing from “${call.sound.microphone}”`, text: "Is it muted?", action });
});

call.sound.addEventListener("packet", ({ detail: { peak } }) => {
  figures.packetSent();
  silence.hear(peak);
  settings.level(peak);
});

call.sound.addEventListener("unplugged", () => {
  end();
  trouble.show({ title: "The microphone was unplugged", action: { label: "Try again", run: begin } });
});

call.addEventListener("played", ({ detail }) => {
  figures.played(detail);
  if (detail.position) transcript.played(detail.position);
  if (details.isOpen) details.figures(figures.of(call));
});

// -- the user's controls ------------------------------------------------------------------------------

dock.addEventListener("mute", () => (call.microphone === "off" ? talk() : call.mute()));
dock.addEventListener("stop", () => call.interrupt());
dock.addEventListener("end", () => {
  keeps = false;
  end();
});
dock.addEventListener("text", ({ detail }) => {
  trouble.hide();
  outgoing.send(detail);
  newest.show();
  render();
});

part("show-settings").onclick = () => settings.toggle();
part("show-details").onclick = () => toggleDetails();
part("show-help").onclick = () => part("help").showModal();
copies(part("copy"), () => transcript.text, (outcome) => {
  part("copy").classList.toggle("done", outcome === "Copied");
  announce(outcome);
});
part("clear").onclick = () => part("clearing").showModal();
part("clearing").onclose = ({ target }) => {
  if (target.returnValue !== "clear") return;
  target.returnValue = "";
  outgoing.lost();
  transcript.clear();
  call.renew();
  render();
};

function toggleDetails() {
  details.toggle();
  if (details.isOpen) details.figures(figures.of(call));
}

bindKeys({
  space: (down) => press.space(down),
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
  else if (name === "token") showInfo().then((admitted) => admitted && connection === "off" && begin());
  else if (name === "microphone" && call.sound.listens) call.listen().then((heard) => heard && silence.watch());
  else if (name === "loudspeaker" && connection !== "off") call.useLoudspeaker();
  else call.tellSettings();
});
card.addEventListener("changed", showInfo);

// -- the page is loaded again -------------------------------------------------------------------------

const kept = takeKeepsake();
let keeps = kept !== null; // false: the user has ended the conversation, which the tab then forgets
if (kept) {
  card.fold();
  transcript.restore(kept.shown, (bubble, item) => outgoing.adopt(bubble, item));
  call.restore(kept.call);
}

addEventListener("pagehide", () => {
  outgoing.cut();
  if (keeps && !transcript.empty) leaveKeepsake({ shown: transcript.save(outgoing.numbers), call: call.save() });
});
addEventListener("pageshow", ({ persisted }) => persisted && takeKeepsake()); // this page itself is back

showInfo();
render();
document.body.inert = false; // before, a tap or a message would have been lost
