// The setting "Loudspeaker": which one, and a test that plays two notes.

import { button, make } from "./elements.js";
import { Control } from "./fields.js";
import { DEFAULT, offerDevices } from "./devices.js";

const NOTES_HZ = [523, 784];
const NOTE_S = 0.25;
const PEAK = 0.3;

/** Some browsers leave the choice to the system. */
const CAN_CHOOSE = "setSinkId" in AudioContext.prototype;

/** A context that plays through the loudspeaker of this id. Throws if it is not plugged in. */
export async function contextFor(id) {
  const context = new AudioContext();
  try {
    if (id && CAN_CHOOSE) await context.setSinkId(id);
    await context.resume();
  } catch (error) {
    await context.close();
    throw error;
  }
  return context;
}

export class Loudspeaker extends Control {
  #volume;

  /** `volume` returns the volume, from 0 to 1. */
  constructor(chosen, volume) {
    const select = make("select");
    const test = button("Test", () => this.#test(), { name: "Test the loudspeaker" });
    super("loudspeaker", "Loudspeaker", select, { beside: [test] });
    this.#volume = volume;
    if (CAN_CHOOSE) offerDevices(select, "audiooutput", chosen);
    else select.append(new Option(DEFAULT, ""));
    select.disabled = !CAN_CHOOSE;
    this.root.querySelector(".hint").setAttribute("role", "status");
  }

  async #test() {
    this.refuse("");
    this.hint("");
    let context;
    try {
      context = await contextFor(this.value);
    } catch {
      return this.refuse("This loudspeaker is not plugged in. Choose another.");
    }
    const gain = new GainNode(context, { gain: 0 });
    const tone = new OscillatorNode(context, { frequency: NOTES_HZ[0] });
    tone.connect(gain).connect(context.destination);
    const begin = context.currentTime;
    const end = begin + NOTES_HZ.length * NOTE_S;
    NOTES_HZ.forEach((hz, at) => tone.frequency.setValueAtTime(hz, begin + at * NOTE_S));
    gain.gain.linearRampToValueAtTime(PEAK * this.#volume(), begin + 0.02);
    gain.gain.setValueAtTime(PEAK * this.#volume(), end - 0.05);
    gain.gain.linearRampToValueAtTime(0, end);
    tone.start(begin);
    tone.stop(end);
    tone.onended = () => {
      context.close();
      this.hint(this.#volume() ? "Two notes were played. Did you hear them?" : "The volume is at zero.");
    };
  }
}
