// The details: what runs, how long the user waits, the network, and what happened.

import { copyButton, make } from "./elements.js";
import { Sheet } from "./sheet.js";
import { bar, summary } from "./waterfall.js";

const SHOWN = 8; // answers
const KEPT_LINES = 500;
const STAGES = { stt: "Ears", llm: "Mind", tts: "Voice", s2s: "Model", vad: "Speech detector" };
const SAFE = new Set(["type", "event", "state", "reason", "code", "stage", "origin"]); // texts that are not the user's
const ERRORS = new Set(["error", "ErrorEvent", "NoticeGiven"]); // whose text is the program's

export class Details {
  #sheet;
  #runs = make("dl", { className: "runs" });
  #private = make("p", { className: "private" });
  #summary = make("p", { className: "summary" });
  #answers = make("ol", { className: "waterfall" });
  #figures = make("dl", { id: "figures" });
  #log = make("pre", { className: "log", tabIndex: 0, role: "log", "aria-live": "off", "aria-label": "Events" });
  #latencies = [];
  #lines = [];

  constructor(root) {
    this.#sheet = new Sheet(root, "Details");
    const copy = copyButton(() => this.#lines.join("\n"), "Copy all events");
    this.#sheet.body.append(
      section("What runs", this.#private, this.#runs),
      section("How long you wait", this.#summary, this.#answers),
      section("Network and sound", this.#figures),
      section("What happened", make("p", { className: "hint" }, "Without the words that were said."), this.#log, copy),
    );
    this.#draw();
  }

  get isOpen() {
    return this.#sheet.isOpen;
  }

  toggle() {
    this.#sheet.toggle();
    if (this.isOpen) this.#draw();
  }

  /** Keep the times of an answer, from the event TurnDone. */
  turnDone({ latency }) {
    if (latency.total_ms === null) return; // nothing was heard, or it spoke while the user spoke
    this.#latencies.push(latency);
    if (this.isOpen) this.#drawAnswers();
  }

  /** Keep a message or an event in the log, without what was said. */
  log(message) {
    const fields = Object.entries(message).filter(
      ([name, value]) =>
        ["number", "boolean"].includes(typeof value) ||
        SAFE.has(name) ||
        (name === "text" && ERRORS.has(message.event ?? message.type)),
    );
    const { type, event, ...others } = Object.fromEntries(fields);
    const told = Object.entries(others).map(([name, value]) => `${name}=${value}`);
    const time = new Date().toISOString().slice(11, 23);
    this.#lines.push([time, event ?? type, ...told].join(" "));
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    if (this.isOpen) this.#drawLog();
  }

  /** Show figures of the network and the sound: names in words, values with their unit. */
  figures(shown) {
    this.#figures.replaceChildren(...Object.entries(shown).flatMap(([name, value]) => pair(name, [value])));
  }

  /** Show what runs on the server. */
  offer({ private: stays, parts }) {
    const hosts = [...new Set(parts.map(({ host }) => host).filter(Boolean))];
    this.#private.textContent = stays
      ? `Private: nothing that you say leaves ${here()}.`
      : `What you say is sent to ${hosts.join(" and ") || "another machine"}.`;
    const order = Object.keys(STAGES);
    const sorted = [...parts].sort((one, other) => order.indexOf(one.stage) - order.indexOf(other.stage));
    this.#runs.replaceChildren(...sorted.flatMap((part, at) => pair(doing(part, sorted[at - 1]), described(part))));
  }

  #draw() {
    this.#drawAnswers();
    this.#drawLog();
  }

  #drawAnswers() {
    const last = this.#latencies.slice(-SHOWN).reverse();
    const longest = Math.max(500, ...last.map(({ total_ms }) => total_ms));
    this.#summary.textContent = summary(this.#latencies.map(({ total_ms }) => total_ms));
    this.#answers.replaceChildren(...last.map((latency) => bar(latency, longest)));
  }

  #drawLog() {
    const log = this.#log;
    const follows = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    log.textContent = this.#lines.join("\n") || "Nothing yet.";
    if (follows) log.scrollTop = log.scrollHeight;
  }
}

const section = (title, ...content) => make("section", {}, make("h3", {}, title), ...content);

const pair = (name, values) => [make("dt", {}, name), make("dd", {}, ...values)];

const here = () => (["localhost", "127.0.0.1", "[::1]"].includes(location.hostname) ? "this machine" : "the server");

/** What a part does. The second of a stage takes over from the first. */
const doing = ({ stage }, before) => STAGES[stage] + (before?.stage === stage ? ", if that fails" : "");

/** The engine with its model, what is to be known of it, and where it runs. */
function described({ title, about, host, device, placeholder }) {
  const more = about.startsWith(`${title}: `) ? about.slice(title.length + 2) : about;
  const fate = placeholder ? "a stand-in until you get a better one" : "";
  const by = device?.replace(/^\w+/, (name) => name.toUpperCase()); // CPU, CUDA, MPS
  const where = `on ${host ?? here()}${by ? ` (${by})` : ""}`;
  const notes = [more, fate, where].filter(Boolean).join(" · ");
  return [
    make("strong", {}, title),
    make("span", { className: host ? "hint elsewhere" : "hint" }, notes),
  ];
}
