// An audio worklet: cuts the microphone's audio into packets of 20 ms, as int16.

const PACKETS_PER_S = 50;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.packet = new Int16Array(Math.round(sampleRate / PACKETS_PER_S));
    this.filled = 0;
    this.peak = 0;
  }

  process([input]) {
    const samples = input[0];
    if (!samples) return true; // the microphone is not connected yet
    for (const sample of samples) {
      const limited = Math.max(-1, Math.min(1, sample));
      this.peak = Math.max(this.peak, Math.abs(limited));
      this.packet[this.filled++] = Math.round(limited * 32767);
      if (this.filled === this.packet.length) this.send();
    }
    return true;
  }

  send() {
    const audio = this.packet.slice().buffer;
    this.port.postMessage({ audio, peak: this.peak }, [audio]);
    this.filled = 0;
    this.peak = 0;
  }
}

registerProcessor("capture", Capture);
