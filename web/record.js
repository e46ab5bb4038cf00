// A bubble as plain data, which outlives the page, and the bubble made of it again.

import { Bubble, fold, paragraph, struck } from "./bubble.js";
import { make } from "./elements.js";

const MARKS = new Map([["DEL", "struck"], ["SPAN", "rest"]]); // by the element; other words are plain

/** {kind, time, name, paragraphs, words, fate}: `paragraphs` and `words`, which stand outside of any, are lists of
 * [mark, text]; `fate` is what is said of a text that can be sent again. */
export function record(item) {
  const { classList, dataset } = item;
  const fate = item.querySelector(".fate")?.firstChild.textContent;
  const kind = [...classList].filter((name) => !["unsent", "folded", "live"].includes(name)).join(" ");
  const words = [...item.childNodes].filter((node) => !node.matches?.(".sr, p, button, .fate"));
  const paragraphs = [...item.querySelectorAll("p")].map((paragraph) => [...paragraph.childNodes].map(marked));
  const name = item.querySelector(".sr")?.textContent ?? "";
  return { kind, time: dataset.time, name, paragraphs, words: words.map(marked), fate };
}

/** The bubble of this record, at the end of the list. */
export function replay(list, { kind, time, name, paragraphs, words }) {
  const bubble = new Bubble(list, kind);
  const { item } = bubble;
  item.dataset.time = time;
  const all = paragraphs.map((pieces) => paragraph(...pieces.map(piece)));
  if (name) bubble.name(name);
  item.append(...all, ...words.map(piece));
  const cut = [...item.querySelectorAll("p del")].map((one) => one.textContent).join("");
  fold(item, cut.trim().split(/\s+/).length);
  return bubble;
}

function marked(node) {
  return [MARKS.get(node.nodeName) ?? "", node.textContent];
}

function piece([mark, text]) {
  if (mark === "struck") return struck(text);
  return mark === "rest" ? make("span", { className: "rest" }, text) : text;
}
