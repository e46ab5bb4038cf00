// The latency of the last replies by stage, as bars.

const KEPT = 3;
const PARTS = ["silence", "stt", "llm", "tts", "s2s", "rest"];

export class LatencyChart {
  #list;
  #longest = 500; // ms, the full width

  constructor(list) {
    this.#list = list;
  }

  add(latency) {
    if (latency.total_ms === null) return;
    this.#longest = Math.max(this.#longest, latency.total_ms);
    const item = document.createElement("li");
    const bar = document.createElement("span");
    bar.className = "bar";
    const named = [];
    for (const part of PARTS) {
      const ms = latency[`${part}_ms`];
      if (!ms || ms < 0) continue;
      const piece = document.createElement("span");
      piece.className = part;
      piece.style.width = `${(100 * ms) / this.#longest}%`;
      bar.append(piece);
      named.push(`${part} ${ms.toFixed(0)}`);
    }
    const total = document.createElement("output");
    total.textContent = `${latency.total_ms.toFixed(0)} ms`;
    item.append(bar, total);
    item.title = named.join(" + ");
    item.setAttribute("aria-label", `${total.textContent}: ${item.title}`);
    this.#list.append(item);
    while (this.#list.children.length > KEPT) this.#list.firstElementChild.remove();
  }
}
