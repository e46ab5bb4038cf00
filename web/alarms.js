// The cards that say what is wrong with the sound, or that there is no server.

import { Silence } from "./silence.js";
import { microphoneTrouble } from "./troubles.js";

/** Show what goes wrong on the page that holds call, conversation, dock, outgoing, settings and trouble, which gets
 * its `silence`. */
export function watchForTrouble(page) {
  const { call, conversation, dock, outgoing, settings, trouble } = page;
  const again = { label: "Try again", run: () => conversation.begin() };
  const choose = { label: "Choose another", run: () => settings.open() };
  let unheard = null; // the card that says that nothing comes from the microphone

  page.silence = new Silence((silent) => {
    if (!silent) return trouble.hide(unheard);
    if (call.now.connection !== "open" || call.microphone === "muted") return;
    const title = `I hear nothing from “${call.sound.microphone}”`;
    unheard = trouble.show({ title, text: "Is it muted?", action: choose });
  });

  call.addEventListener("unreachable", () => {
    outgoing.lost();
    const title = "The server cannot be reached";
    conversation.awaitServer(trouble.show({ title, text: "Is it running?", action: again }));
  });
  call.addEventListener("deaf", ({ detail: { name } }) => {
    outgoing.lost();
    const retry = { label: "Try again", run: () => conversation.talk() };
    const action = name === "OverconstrainedError" ? choose : retry;
    const other = window.isSecureContext ? { label: "Type instead", run: () => dock.type() } : null;
    trouble.show({ ...microphoneTrouble(name), action, other });
  });
  call.addEventListener("mute-loudspeaker", () => {
    const title = "The loudspeaker is not plugged in";
    trouble.show({ title, text: "The system's default is used instead.", action: choose });
  });
  call.sound.addEventListener("unplugged", () => {
    conversation.end();
    trouble.show({ title: "The microphone was unplugged", action: again });
  });
}
