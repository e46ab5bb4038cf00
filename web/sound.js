// Microphone and loudspeaker of the browser.

export const RATE_HZ = 24000;

const TROUBLE = {
  NotAllowedError: "The microphone is blocked. Allow it next to the address of this page, then press Talk.",
  NotFoundError: "There is no microphone. Plug one in, then press Talk.",
  NotReadableError: "The microphone is in use by another program.",
};

export class Sound extends EventTarget {
  context = null;
  #stream = null;
  #playback = null;
  #volume = null;

  /** Ask for the microphone and begin. Throws an Error whose message is for the user. */
  async begin() {
    if (!window.isSecureContext || !navigator.mediaDevices) {
      throw new Error("Browsers allow a page to use the microphone only over HTTPS, or on localhost.");
    }
    const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    } catch (error) {
      throw new Error(TROUBLE[error.name] ?? `The microphone does not work (${error.name}).`);
    }
    this.context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: "interactive" });
    await this.context.audioWorklet.addModule("capture.js");
    await this.context.audioWorklet.addModule("playback.js");
    this.#microphone();
    this.#loudspeaker();
    await this.context.resume();
  }

  async end() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    await this.context?.close();
    this.context = null;
  }

  set muted(muted) {
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  set volume(volume) {
    if (this.#volume) this.#volume.gain.value = volume;
  }

  play(piece) {
    this.#playback?.port.postMessage({ order: "play", ...piece }, [piece.pcm]);
  }

  flush({ turn, sample }) {
    this.#playback?.port.postMessage({ order: "flush", turn, sample });
  }

  duck({ gain }) {
    this.#playback?.port.postMessage({ order: "duck", gain });
  }

  #microphone() {
    const source = this.context.createMediaStreamSource(this.#stream);
    const capture = new AudioWorkletNode(this.context, "capture", { numberOfOutputs: 0 });
    capture.port.onmessage = ({ data }) => this.#tell("packet", data);
    source.connect(capture);
    for (const track of this.#stream.getAudioTracks()) track.onended = () => this.#tell("unplugged", {});
  }

  #loudspeaker() {
    this.#playback = new AudioWorkletNode(this.context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#playback.port.onmessage = ({ data }) => this.#tell("played", data);
    this.#volume = this.context.createGain();
    this.#playback.connect(this.#volume).connect(this.context.destination);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
