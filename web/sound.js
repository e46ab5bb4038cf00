// Microphone and loudspeaker of the browser.

const RATE_HZ = 24000;

/** Firefox takes a microphone only into a context at the rate of the system, which the server then uses, too. */
const RATE = CSS.supports("-moz-appearance: none") ? {} : { sampleRate: RATE_HZ };
const WANTED = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

/** A microphone that cannot be used; `name` is the browser's name for the reason. */
export class MicrophoneError extends Error {
  constructor(name) {
    super(name);
    this.name = name;
  }
}

export class Sound extends EventTarget {
  context = null;
  #stream = null;
  #source = null;
  #playback = null;
  #volume = null;
  #ears = null; // analysers of what the microphone hears and the loudspeaker plays
  #mouth = null;
  #wave = new Float32Array(1024);

  constructor() {
    super();
    document.addEventListener("visibilitychange", () => this.#goOn());
  }

  /** Open the loudspeaker, at a volume from 0 to 1. Throws a MicrophoneError on a page that may use no sound. */
  async open(volume) {
    if (!window.isSecureContext) throw new MicrophoneError("InsecureContext"); // it may not play, either
    this.context = new AudioContext({ ...RATE, latencyHint: "interactive" });
    const { context } = this;
    this.#goOn(); // at once, since Safari starts the sound only in answer to a tap
    context.onstatechange = () => this.#goOn();
    await context.audioWorklet.addModule("capture.js");
    await context.audioWorklet.addModule("playback.js");
    if (context !== this.context) return; // ended in the meantime
    this.#playback = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#playback.port.onmessage = ({ data }) => this.#tell("played", data);
    this.#volume = context.createGain();
    this.#mouth = context.createAnalyser();
    this.#ears = context.createAnalyser();
    this.#playback.connect(this.#mouth).connect(this.#volume).connect(context.destination);
    this.volume = volume;
  }

  /** Ask for the microphone with this id, in place of the one in use. Throws a MicrophoneError. */
  async listen(microphone) {
    const audio = microphone ? { ...WANTED, deviceId: { exact: microphone } } : WANTED;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      throw new MicrophoneError(error.name);
    }
    this.#stopListening();
    if (!this.context) return stream.getTracks().forEach((track) => track.stop()); // ended in the meantime
    this.#stream = stream;
    try {
      this.#source = this.context.createMediaStreamSource(stream);
    } catch (error) {
      this.#stopListening();
      throw new MicrophoneError(error.name);
    }
    const capture = new AudioWorkletNode(this.context, "capture", { numberOfOutputs: 0 });
    capture.port.onmessage = ({ data }) => this.#tell("packet", data);
    this.#source.connect(this.#ears);
    this.#source.connect(capture);
    for (const track of stream.getAudioTracks()) track.onended = () => this.#tell("unplugged", {});
  }

  async end() {
    this.#stopListening();
    const { context } = this;
    this.context = this.#playback = this.#volume = null;
    await context?.close();
  }

  get listens() {
    return this.#stream !== null;
  }

  /** The name of the microphone in use, as the system tells it. */
  get microphone() {
    return this.#stream?.getAudioTracks()[0]?.label ?? "";
  }

  /** Peaks of the last 40 ms, from 0 to 1. */
  levels() {
    if (!this.context) return { microphone: 0, loudspeaker: 0 };
    return { microphone: this.#peak(this.#ears), loudspeaker: this.#peak(this.#mouth) };
  }

  set muted(muted) {
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  set volume(volume) {
    if (this.#volume) this.#volume.gain.value = volume;
  }

  /** Play through the loudspeaker with this id, where the browser lets a page choose. */
  async useLoudspeaker(id) {
    await this.context?.setSinkId?.(id);
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

  /** Let the sound run, which a phone call interrupts on iOS. */
  #goOn() {
    if (["suspended", "interrupted"].includes(this.context?.state)) this.context.resume().catch(() => {});
  }

  #stopListening() {
    this.#source?.disconnect();
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#source = this.#stream = null;
  }

  #peak(analyser) {
    analyser.getFloatTimeDomainData(this.#wave);
    return this.#wave.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
