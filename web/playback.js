// An audio worklet: plays the server's audio without gaps, and reports what was played.

const MIN_LEAD_S = 0.04; // playback begins with this much audio: two packets
const MAX_LEAD_S = 0.2;
const MORE_LEAD_S = 0.02; // added after each gap, since a network that hiccups does so again
const REPORTS_PER_S = 10;

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.pieces = []; // {turn, sample, audio}
    this.lead = MIN_LEAD_S * sampleRate;
    this.playing = false;
    this.held = 0; // samples for which the first piece has been waiting for more
    this.gain = this.wantedGain = 1;
    this.last = null; // {turn, sample}: the end of what was played
    this.unreported = null; // the same, until it is reported
    this.figures = { played: 0, gaps: 0, peak: 0 };
    this.sinceReport = 0;
    this.port.onmessage = ({ data }) => this[data.order](data);
  }

  play({ turn, sample, pcm }) {
    const ranDry = !this.playing && !this.pieces.length;
    if (ranDry && this.last?.turn === turn && this.last.sample === sample) this.keepMore();
    const audio = Float32Array.from(new Int16Array(pcm), (value) => value / 32768);
    this.pieces.push({ turn, sample, audio });
  }

  flush({ turn, sample }) {
    this.pieces = this.pieces.flatMap((piece) => {
      if (piece.turn !== turn) return [piece];
      const kept = Math.max(0, sample - piece.sample);
      return kept ? [{ ...piece, audio: piece.audio.subarray(0, kept) }] : [];
    });
    this.last = null; // the silence that follows is intended, and is not a gap
  }

  duck({ gain }) {
    this.wantedGain = gain;
  }

  get waiting() {
    return this.pieces.reduce((sum, piece) => sum + piece.audio.length, 0);
  }

  process(_, [output]) {
    const out = output[0];
    if (!this.playing && this.pieces.length) {
      this.held += out.length; // a reply may be shorter than the lead, and must not wait for ever
      this.playing = this.waiting >= this.lead || this.held >= this.lead;
    }
    const filled = this.playing ? this.fill(out) : 0;
    if (this.playing) this.held = 0;
    if (filled < out.length) this.playing = false;
    this.report(out, filled);
    return true;
  }

  fill(out) {
    let filled = 0;
    while (filled < out.length && this.pieces.length) {
      const piece = this.pieces[0];
      const taken = Math.min(piece.audio.length, out.length - filled);
      for (let n = 0; n < taken; n++) {
        this.gain += (this.wantedGain - this.gain) * 0.005; // 10 ms, without a click
        out[filled + n] = piece.audio[n] * this.gain;
      }
      filled += taken;
      this.last = this.unreported = { turn: piece.turn, sample: piece.sample + taken };
      if (taken === piece.audio.length) this.pieces.shift();
      else this.pieces[0] = { turn: piece.turn, sample: piece.sample + taken, audio: piece.audio.subarray(taken) };
    }
    return filled;
  }

  keepMore() {
    this.figures.gaps += 1;
    this.lead = Math.min(MAX_LEAD_S * sampleRate, this.lead + MORE_LEAD_S * sampleRate);
  }

  report(out, filled) {
    this.figures.played += filled;
    for (let n = 0; n < filled; n++) this.figures.peak = Math.max(this.figures.peak, Math.abs(out[n]));
    this.sinceReport += out.length;
    if (this.sinceReport < sampleRate / REPORTS_PER_S) return;
    this.sinceReport = 0;
    this.port.postMessage({ position: this.unreported, waiting: this.waiting, ...this.figures });
    this.unreported = null;
    this.figures.peak = 0;
  }
}

registerProcessor("playback", Playback);
