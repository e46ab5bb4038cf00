// Figures of the network and the sound, for the details.

export class Figures {
  #sent = 0;
  #report = { played: 0, gaps: 0, waiting: 0, peak: 0 }; // of the playback

  packetSent() {
    this.#sent += 1;
  }

  played(report) {
    this.#report = report;
  }

  /** Names in words ▶ values with their unit. */
  of({ connection, sound }) {
    const { played, gaps, waiting, peak } = this.#report;
    const rate = connection?.rate ?? Infinity; // nothing is played without a connection
    return {
      "packets sent": this.#sent,
      "packets received": connection?.received ?? 0,
      "packets played": ((50 * played) / rate).toFixed(1),
      "waiting to be played": `${((1000 * waiting) / rate).toFixed(0)} ms`,
      "gaps": gaps,
      "loudspeaker": peak > 0.001 ? "sounding" : "silent",
      "audio": `${sound.context?.state ?? "off"}, ${sound.context?.sampleRate ?? "–"} Hz`,
      "reconnected": connection?.reconnected ?? 0,
    };
  }
}
