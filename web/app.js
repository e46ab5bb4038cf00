// The page: joins the connection, the sound and the display.

import { Connection } from "./connection.js";
import { LatencyChart } from "./latency.js";
import { RATE_HZ, Sound } from "./sound.js";
import { Transcript } from "./transcript.js";

const part = (id) => document.getElementById(id);
const sound = new Sound();
const transcript = new Transcript(part("transcript"));
const chart = new LatencyChart(part("latency"));
let connection = null;
let muted = false;
let replying = 0;
let paused = false;
let server = { event_rate: 16000, takes_text: true, takes_turns: false }; // from its welcome message
let loudAt = -Infinity; // time at which the model was last loud, in ms
const figures = { sent: 0, played: 0, gaps: 0, waiting: 0, peak: 0 };

const QUIET = 0.01; // peak below which a full-duplex model counts as silent: -40 dB
const PAUSE_MS = 500; // pause between words during which the model still counts as speaking

const STATES = {
  off: "not connected", connecting: "connecting…", listening: "listening", hearing: "hearing you",
  waiting: "go on, I am listening",
  thinking: "thinking", speaking: "speaking", muted: "muted", away: "connection lost…", ready: "hold to talk",
};

function show(state) {
  if (state === "listening" && muted) state = "muted";
  if (state === "listening" && part("hands").value === "push") state = "ready";
  part("state").dataset.state = state;
  part("state").textContent = STATES[state];
}

function trouble(text) {
  part("trouble").hidden = !text;
  part("trouble").textContent = text;
}

// -- beginning and ending -----------------------------------------------------------------------------

async function begin() {
  trouble("");
  show("connecting");
  part("talk").disabled = true;
  try {
    await sound.begin();
  } catch (error) {
    trouble(error.message);
    await sound.end();
    part("talk").disabled = false;
    return show("off");
  }
  connection = new Connection(sound.context.sampleRate, part("token").value || token());
  for (const [name, handle] of Object.entries(FROM_SERVER)) {
    connection.addEventListener(name, ({ detail }) => handle(detail));
  }
  sound.volume = Number(part("volume").value);
  connection.connect();
}

async function end() {
  connection?.hangUp();
  connection = null;
  await sound.end();
  enable(false);
  show("off");
}

function enable(on) {
  for (const id of ["mute", "stop"]) part(id).disabled = !on;
  part("typed").hidden = !on || !server.takes_text;
  part("open-hint").hidden = !on || !server.takes_turns;
  part("hint").hidden = !part("open-hint").hidden;
  part("mode").disabled = on && server.takes_turns;
  part("hold").hidden = !on || part("hands").value !== "push";
  part("talk").disabled = false;
  part("talk").textContent = on ? "Hang up" : "Talk";
}

/** A link may carry the token behind the #, which browsers do not send to any server. */
function token() {
  return new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
}

// -- messages of the server ---------------------------------------------------------------------------

const FROM_SERVER = {
  welcome(message) {
    server = message;
    transcript.flows = server.takes_turns;
    enable(true);
    show("listening");
    trouble("");
    tellSettings();
    offerVoices();
  },
  pcm: (piece) => sound.play(piece),
  flush: (position) => sound.flush(position),
  duck: (order) => sound.duck(order),
  error: ({ code, text }) => (code === "unknown_voice" ? refuseVoice(text) : trouble(text)),
  away({ seconds, text }) {
    trouble(text || `The connection was lost; trying again in ${seconds.toFixed(1)} s.`);
    show("away");
  },
  async gone({ text }) {
    if (!connection) return;
    await end();
    if (text) trouble(text);
  },
  event: (event) => EVENTS[event.event]?.(event),
};

const EVENTS = {
  SpeechStarted({ sample }) {
    transcript.speechStarted(sample / server.event_rate);
    show("hearing");
  },
  TurnPending: ({ pending }) => show(pending ? "waiting" : "hearing"),
  SpeechEnded({ speech_end_sample: sample }) {
    transcript.speechEnded(sample / server.event_rate);
    show(replying && !paused ? "speaking" : "thinking");
  },
  SpeechCancelled() {
    transcript.unsaid();
    show("listening");
  },
  TurnCommitted: (event) => transcript.committed(event),
  PartialTranscript: (event) => transcript.guess(event),
  Transcript: (event) => transcript.said(event),
  ReplyStarted({ turn }) {
    replying = turn;
    paused = false;
    transcript.replyStarted(turn);
    if (!server.takes_turns) show("speaking");
  },
  ReplyText: (event) => transcript.reply(event),
  Paused(event) {
    paused = event.paused;
    show(paused ? "hearing" : "speaking");
  },
  TurnDone(event) {
    transcript.done(event);
    chart.add(event.latency);
    if (event.state !== "dropped" && !event.user_text && !event.heard) transcript.unsaid();
    if (event.turn === replying || part("state").dataset.state === "thinking") show("listening");
    if (event.turn === replying) replying = 0;
  },
  ErrorEvent({ turn, text }) {
    transcript.unanswered(turn);
    transcript.note(text);
  },
  FramesLate: ({ frames, worst_ms }) =>
    transcript.note(
      `${frames} frame${frames === 1 ? "" : "s"} of the reply left out: up to ${worst_ms.toFixed(0)} ms too late`,
    ),
  NoticeGiven: ({ text }) => transcript.note(text),
  SessionEnded: ({ reason }) => transcript.note(`The conversation ended: ${reason}.`),
};

// -- microphone and loudspeaker -----------------------------------------------------------------------

sound.addEventListener("packet", ({ detail: { audio, peak } }) => {
  part("heard").value = Math.sqrt(peak);
  figures.sent += 1;
  connection?.sendAudio(audio);
});

sound.addEventListener("played", ({ detail }) => {
  Object.assign(figures, detail);
  part("said").value = Math.sqrt(detail.peak);
  if (server.takes_turns) showWhoSpeaks(detail.peak);
  if (detail.position) connection?.send("played", detail.position);
  if (part("debug").open) showFigures();
});

/** A full-duplex model sends audio all the time; its loudness says whether it speaks. */
function showWhoSpeaks(peak) {
  if (peak > QUIET) loudAt = performance.now();
  const speaks = performance.now() - loudAt < PAUSE_MS;
  const speaking = part("state").dataset.state === "speaking";
  if (connection?.open && speaks !== speaking) show(speaks ? "speaking" : "listening");
}

sound.addEventListener("unplugged", () => {
  trouble("The microphone was unplugged.");
  end();
});

function showFigures() {
  const frame = (connection?.rate ?? RATE_HZ) / 50;
  const shown = {
    "packets sent": figures.sent,
    "packets received": connection?.received ?? 0,
    "packets played": (figures.played / frame).toFixed(1),
    "waiting to be played": `${((1000 * figures.waiting) / (connection?.rate ?? RATE_HZ)).toFixed(0)} ms`,
    "gaps": figures.gaps,
    "loudspeaker": figures.peak > 0.001 ? "sounding" : "silent",
    "volume": part("volume").value,
    "audio": `${sound.context?.state ?? "off"}, ${sound.context?.sampleRate ?? "–"} Hz`,
    "reconnected": connection?.reconnected ?? 0,
  };
  part("figures").replaceChildren(
    ...Object.entries(shown).flatMap(([name, value]) => {
      const [term, description] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      description.textContent = value;
      return [term, description];
    }),
  );
}

// -- the user's controls ------------------------------------------------------------------------------

part("talk").onclick = () => (connection ? end() : begin());

part("mute").onclick = () => {
  muted = !muted;
  sound.muted = muted;
  part("mute").setAttribute("aria-pressed", muted);
  part("mute").textContent = muted ? "Unmute" : "Mute";
  show("listening");
};

part("stop").onclick = () => connection?.send("interrupt");

part("typed").onsubmit = (event) => {
  event.preventDefault();
  const text = part("text").value.trim();
  if (!text) return;
  transcript.said({ text });
  connection?.send("respond", { text });
  part("text").value = "";
};

for (const id of ["hands", "mode", "voice", "language"]) part(id).onchange = tellSettings;
part("volume").oninput = () => (sound.volume = Number(part("volume").value));
part("debug").ontoggle = showFigures;

/** Fill the list of voices behind the field; fetched once. */
async function offerVoices() {
  if (part("voices").children.length) return;
  const headers = connection?.token ? { Authorization: `Bearer ${connection.token}` } : {};
  const answer = await fetch("/v1/voices", { headers }).catch(() => null);
  if (!answer?.ok) return;
  const { voices } = await answer.json();
  part("voices").replaceChildren(...voices.map((name) => new Option(name, name)));
  part("voice").disabled = !voices.length;
}

function refuseVoice(text) {
  part("voice").ariaInvalid = text ? "true" : "false";
  part("voice-trouble").textContent = text;
}

part("voice").oninput = () => refuseVoice("");

function tellSettings() {
  part("hold").hidden = !connection || part("hands").value !== "push";
  connection?.send("settings", {
    hands_free: part("hands").value === "free",
    reply_mode: part("mode").value,
    language: part("language").value || null,
  });
  connection?.send("settings", { voice: part("voice").value.trim() || null }); // alone: it may be refused
  if (connection) show("listening");
}

let holding = false;

function hold(on) {
  if (on === holding || !connection || part("hands").value !== "push") return;
  holding = on;
  part("hold").classList.toggle("held", on);
  connection.send(on ? "start" : "commit");
}

part("hold").onpointerdown = () => hold(true);
for (const name of ["pointerup", "pointercancel", "pointerleave"]) part("hold").addEventListener(name, () => hold(false));

const typing = (event) => event.target.closest("input, select, button, summary, textarea");
addEventListener("keydown", (event) => {
  if (event.code === "Escape" && holding) {
    holding = false;
    part("hold").classList.remove("held");
    connection?.send("cancel");
  } else if (event.code === "Space" && !typing(event) && !event.repeat) {
    event.preventDefault();
    hold(true);
  }
});
addEventListener("keyup", (event) => event.code === "Space" && hold(false));
addEventListener("blur", () => hold(false));
