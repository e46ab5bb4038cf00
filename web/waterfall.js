// The user's wait for the answers, in words and as bars.

import { make } from "./elements.js";

const PARTS = [
  // the field of TurnDone.latency, and the word for it
  ["silence", "pause"],
  ["stt", "hearing"],
  ["llm", "answer"],
  ["tts", "voice"],
  ["s2s", "answer"],
  ["rest", "other"],
];
const FEW = 5; // answers; of fewer, shares say nothing
const LEAST_MS = 5; // a shorter part is not told: it would read 0.00

const seconds = (ms) => (ms / 1000).toFixed(2);

const parts = (latency) =>
  PARTS.map(([name, word]) => ({ name, word, ms: latency[`${name}_ms`] })).filter(({ ms }) => ms >= LEAST_MS);

/** The wait in words, "Waited 0.31 s: pause 0.29 · hearing 0.03", over a bar; its whole width is `longest` ms. */
export function bar(latency, longest) {
  const shown = parts(latency);
  const pieces = shown.map(({ name, ms }) => {
    const piece = make("span", { className: name });
    piece.style.flexGrow = ms;
    return piece;
  });
  const strip = make("div", { className: "strip", "aria-hidden": "true" }, ...pieces);
  strip.style.width = `${(100 * latency.total_ms) / longest}%`;
  const legend = shown.flatMap(({ name, word, ms }, at) => [
    at ? "\u00a0· " : "",
    make("span", { className: `part ${name}` }, `${word} ${seconds(ms)}`),
  ]);
  const total = make("strong", {}, `Waited ${seconds(latency.total_ms)} s`);
  const words = make("p", {}, total, legend.length ? ": " : "", ...legend);
  return make("li", {}, words, ...(shown.length ? [strip] : []));
}

/** The value that `share` of the waits do not exceed. */
export function quantile(waits, share) {
  const sorted = [...waits].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** All waits in a sentence or two. */
export function summary(waits) {
  if (!waits.length) return "The wait for an answer is shown here when that answer is over.";
  if (waits.length === 1) return `The answer began after ${seconds(waits[0])} s.`;
  if (waits.length < FEW) {
    const [least, most] = [Math.min(...waits), Math.max(...waits)].map(seconds);
    return `The ${waits.length} answers began after ${least === most ? most : `${least} to ${most}`} s.`;
  }
  const quick = waits.filter((ms) => ms < 500).length;
  return (
    `Half of the answers began within ${seconds(quantile(waits, 0.5))} s, ` +
    `95 % within ${seconds(quantile(waits, 0.95))} s. ${quick} of ${waits.length} took less than 0.50 s.`
  );
}
