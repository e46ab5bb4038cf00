// What to say when something is wrong.

const MICROPHONE = {
  NotAllowedError: ["The microphone is blocked", "Allow it in the address bar."],
  NotFoundError: ["There is no microphone", "Plug one in."],
  NotReadableError: ["The microphone is busy", "Another program is using it. Close that program."],
  OverconstrainedError: ["The microphone is not plugged in", "Plug in the one that you chose, or choose another."],
  InsecureContext: [
    "This page cannot use sound",
    "Browsers allow the microphone and the voice only over HTTPS, or on localhost.",
  ],
};

/** What to say of a microphone that cannot be used, by the browser's name of the reason. */
export function microphoneTrouble(name) {
  const [title, text] = MICROPHONE[name] ?? ["The microphone does not work", `The browser says: ${name}.`];
  return { title, text };
}

/** The reason that a server gives when it is shut down. */
export const STOPPED = "the server was shut down";

/** What to say of a conversation that ended by itself. `reason`: of the event SessionEnded, if one came. */
export function endTrouble({ title, text, ended }, reason) {
  if (ended && reason === STOPPED) return { title: "The server was shut down", text: "" };
  const why = ended ? reason || text : text;
  return { title, text: why ? `Reason: ${why}.` : "" };
}

export const FORGOTTEN =
  "The server has forgotten the conversation: it was restarted, or you were away for too long.";
