// A better part that the server offers: what it is, and the way to it.

import { button, copyButton, make } from "./elements.js";
import { post } from "./info.js";

const UNDERWAY = { downloading: "Downloading", loading: "Starting" };
const KINDS = { stt: "ears", llm: "mind", tts: "voice" };

/** Dispatches "changed" when the part was swapped, to it or back. */
export class Offer extends EventTarget {
  root = make("li", { className: "offer" });
  #way = make("div", { className: "way" });
  #token = "";
  #offer = null;
  #follows = false; // a request tells how it goes

  constructor(offer) {
    super();
    this.root.append(
      make("h3", {}, `${offer.title} `, make("span", { className: "kind" }, KINDS[offer.stage])),
      make("p", {}, sentence(offer.about)),
      make("p", { className: "hint" }, [size(offer.size_bytes), offer.license].join(" · ")),
      this.#way,
    );
  }

  /** Show the offer as the server tells it. `may`: this client may take it. */
  offer(offer, { token, may }) {
    this.#token = token;
    if (this.#follows) return;
    if (!may) return this.#tellCommand(offer);
    this.#show(offer);
    if (offer.state in UNDERWAY) this.#follow(); // somebody began it before this page was loaded
  }

  #tellCommand({ title, command }) {
    this.#way.className = "way wide";
    this.#way.replaceChildren(
      make("p", { className: "hint" }, "On the server, type:"),
      make("code", {}, command),
      copyButton(() => command, `Copy the command for ${title}`),
    );
  }

  #show(offer) {
    const changed = this.#offer && this.#offer.state !== offer.state;
    this.#offer = offer;
    const { title, state, progress } = offer;
    const error = offer.error && sentence(offer.error);
    this.#way.className = state in UNDERWAY || error ? "way wide" : "way";
    if (state in UNDERWAY && !changed && this.#way.querySelector("progress")) return this.#move(progress);
    this.#way.replaceChildren();
    if (state in UNDERWAY) {
      const bar = make("progress", { max: 1, "aria-label": `${UNDERWAY[state]} ${title}` });
      this.#way.append(bar, make("output", {}));
      this.#move(progress);
    } else if (state === "in_use") {
      this.#way.append(make("strong", { role: "status" }, "In use"));
      this.#way.append(button("Undo", () => this.#undo(), { name: `Undo ${title}` }));
      if (error) this.#way.append(make("p", { className: "field-error", role: "alert" }, error));
    } else {
      if (error) this.#way.append(make("p", { className: "field-error", role: "alert" }, error));
      const label = error ? "Try again" : offer.size_bytes ? "Get" : "Use";
      this.#way.append(button(label, () => this.#begin(), { name: `${label} ${title}`, className: "get" }));
    }
  }

  #move(progress) {
    const bar = this.#way.querySelector("progress");
    const word = UNDERWAY[this.#offer.state];
    const known = this.#offer.state === "downloading";
    if (known) bar.value = progress;
    this.#way.querySelector("output").textContent = known ? `${word}: ${Math.floor(100 * progress)} %` : `${word}…`;
  }

  #begin() {
    this.#show({ ...this.#offer, state: "downloading", progress: 0, error: "" });
    this.#follow();
  }

  /** Begin the offer, or join what has begun, and show how it goes. */
  async #follow() {
    this.#follows = true;
    try {
      const response = await post(this.#path(), this.#token);
      for await (const line of lines(response.body)) this.#show(JSON.parse(line));
      if (this.#offer.state in UNDERWAY) throw new Error("The connection to the server broke.");
    } catch (error) {
      this.#show({ ...this.#offer, state: "failed", error: error.message });
    }
    this.#follows = false;
    if (this.#offer.state === "in_use") this.dispatchEvent(new Event("changed"));
  }

  async #undo() {
    try {
      this.#show(await (await post(`${this.#path()}/undo`, this.#token)).json());
      this.dispatchEvent(new Event("changed"));
    } catch (error) {
      this.#show({ ...this.#offer, error: error.message });
    }
  }

  #path() {
    return `/v1/offers/${encodeURIComponent(this.#offer.name)}`;
  }
}

/** The lines of a stream of bytes, as they come. */
async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const all = (text + piece.value).split("\n");
    text = all.pop();
    yield* all.filter(Boolean);
  }
  if (text) yield text;
}

/** The size of the download: "121 MB". */
function size(bytes) {
  if (!bytes) return "already here";
  const mega = bytes / 1e6;
  return mega < 1000 ? `${Math.max(1, Math.round(mega))} MB` : `${(mega / 1000).toFixed(1)} GB`;
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
