// The conversation over a reload: the tab keeps it from the moment that the page goes until it is back.

const NAME = "s2s.conversation";
const MAX_TURNS = 200;
const MAX_CHARS = 500_000; // of the data; a tab may keep about ten times as many

export class Keepsake {
  #keeps = false;

  /** Show what the page before left on this one, which holds call, card, outgoing and transcript. */
  constructor({ call, card, outgoing, transcript }) {
    const kept = takeKeepsake();
    if (kept) {
      this.#keeps = true;
      card.fold();
      transcript.restore(kept.shown, (bubble, item) => outgoing.adopt(bubble, item));
      call.restore(kept.call);
    }
    call.addEventListener("begin", () => (this.#keeps = true));
    addEventListener("pagehide", () => {
      outgoing.cut();
      if (!this.#keeps || transcript.empty) return;
      leaveKeepsake({ shown: transcript.save(outgoing.numbers), call: call.save() });
    });
    addEventListener("pageshow", ({ persisted }) => persisted && takeKeepsake()); // this page itself is back
  }

  /** The user has ended the conversation: leave nothing of it. */
  forget() {
    this.#keeps = false;
  }
}

/** What the page before left, or null. It is taken out: the copy of a tab must not take over its session. */
export function takeKeepsake() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(NAME));
    sessionStorage.removeItem(NAME);
    return kept;
  } catch {
    return null; // this browser keeps nothing
  }
}

/** Leave the conversation for the page that comes next, without its oldest turns where it is long. */
export function leaveKeepsake({ call, shown }) {
  let items = shown.items.slice(-MAX_TURNS);
  const data = () => JSON.stringify({ call, shown: { ...shown, items } });
  while (data().length > MAX_CHARS && items.length) items = items.slice(Math.ceil(items.length / 2));
  try {
    sessionStorage.setItem(NAME, data());
  } catch {
    // the space is full, or this browser keeps nothing: the page comes back empty
  }
}
