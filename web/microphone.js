// The setting "Microphone": which one, its level, and a test that says whether it can be heard.

import { button, make } from "./elements.js";
import { Control } from "./fields.js";
import { offerDevices } from "./devices.js";
import { microphoneTrouble } from "./troubles.js";

const TEST_MS = 5000;
const FED_MS = 500; // levels that came this recently are those of a conversation that goes on
const TICK_MS = 50;
const [SILENT, QUIET] = [0.003, 0.05]; // peaks; 1 is the loudest that there is

export class Microphone extends Control {
  #meter = make("meter", { max: 1, value: 0 });
  #button;
  #fill;
  #fedAt = -Infinity;
  #peak = null; // the loudest so far, while a test goes on
  #stop = () => {};

  constructor(chosen) {
    const select = make("select");
    const test = button("Test", () => this.#test(), { name: "Test the microphone" });
    super("microphone", "Microphone", select, { beside: [test] });
    this.#button = test;
    this.#fill = offerDevices(select, "audioinput", chosen);
    this.#meter.setAttribute("aria-label", "Level of the microphone");
    this.root.insertBefore(this.#meter, this.root.querySelector(".hint"));
    this.root.querySelector(".hint").setAttribute("role", "status");
  }

  /** Show the level of a conversation that goes on. */
  level(peak) {
    this.#fedAt = performance.now();
    this.#show(peak);
  }

  /** End a test that goes on, without a result. */
  end() {
    this.#peak = null;
    this.#stop();
    this.#meter.value = 0;
  }

  #show(peak) {
    this.#meter.value = Math.sqrt(peak);
    if (this.#peak !== null) this.#peak = Math.max(this.#peak, peak);
  }

  async #test() {
    this.refuse("");
    this.#button.disabled = true;
    this.#peak = 0;
    // a second capture would silence the conversation's on some phones
    const listens = performance.now() - this.#fedAt < FED_MS || (await this.#listen());
    if (listens) {
      this.hint("Say something…");
      await new Promise((done) => setTimeout(done, TEST_MS));
    }
    const [peak, name] = [this.#peak, this.control.selectedOptions[0]?.text];
    this.end();
    this.#button.disabled = false;
    if (listens && peak !== null) this.hint(verdict(peak, name));
  }

  /** Capture the chosen microphone until the test ends. */
  async #listen() {
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "InsecureContext");
      const audio = this.value ? { deviceId: { exact: this.value } } : true;
      const stream = await navigator.mediaDevices.getUserMedia({ audio });
      const context = new AudioContext();
      const analyser = new AnalyserNode(context, { fftSize: 4096 });
      context.createMediaStreamSource(stream).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      const timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        this.#show(samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0));
      }, TICK_MS);
      this.#stop = () => {
        clearInterval(timer);
        stream.getTracks().forEach((track) => track.stop());
        context.close();
        this.#stop = () => {};
      };
      await this.#fill(); // with the permission the browser tells the names
      return true;
    } catch (error) {
      const { title, text } = microphoneTrouble(error.name);
      this.refuse(`${title}. ${text}`);
      return false;
    }
  }
}

/** Too loud is no verdict: the browser sets the level, and drives many a voice to the full. */
function verdict(peak, name) {
  if (peak < SILENT) return `Nothing came from “${name}”. Is it muted? If not, choose another.`;
  if (peak < QUIET) return "Very quiet. Come closer, or turn the microphone up in your system's settings.";
  return "That sounds good.";
}
