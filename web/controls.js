// The user's controls: the row at the bottom, the buttons at the top, the keys and the settings.

import { copies } from "./elements.js";
import { bindKeys } from "./keys.js";
import { Press } from "./press.js";

const part = (id) => document.getElementById(id);

/** Let the controls do what they say on this page, which holds all parts. */
export function bindControls(page) {
  const { call, card, conversation, details, display, dock, figures, keepsake, newest, outgoing, settings } = page;
  const { transcript, trouble } = page;
  const press = new Press(part("orb"), call, () => conversation.talk());
  const mute = () => (call.microphone === "off" ? conversation.talk() : call.mute());
  const help = () => part("help").showModal();

  function toggleDetails() {
    details.toggle();
    if (details.isOpen) details.figures(figures.of(call));
  }

  dock.addEventListener("mute", mute);
  dock.addEventListener("stop", () => call.interrupt());
  dock.addEventListener("end", () => {
    keepsake.forget();
    conversation.end();
  });
  dock.addEventListener("text", ({ detail }) => {
    trouble.hide();
    outgoing.send(detail);
    newest.show();
    display.render();
  });

  part("show-settings").onclick = () => settings.toggle();
  part("show-details").onclick = toggleDetails;
  part("show-help").onclick = help;
  copies(part("copy"), () => transcript.text, (outcome) => {
    part("copy").classList.toggle("done", outcome === "Copied");
    display.announce(outcome);
  });
  part("clear").onclick = () => part("clearing").showModal();
  part("clearing").onclose = ({ target }) => {
    if (target.returnValue !== "clear") return;
    target.returnValue = "";
    outgoing.lost();
    transcript.clear();
    call.renew();
    display.render();
  };

  bindKeys({
    space: (down) => press.space(down),
    escape: () => (call.holding ? call.cancel() : call.interrupt()),
    m: mute,
    t: () => dock.type(),
    s: () => settings.toggle(),
    d: toggleDetails,
    "?": help,
  });

  settings.addEventListener("change", ({ detail: { name } }) => {
    const { connection } = call.now;
    if (name === "volume") call.sound.volume = settings.values.volume;
    else if (name === "token") reconnect();
    else if (name === "microphone" && call.sound.listens) conversation.listen();
    else if (name === "loudspeaker" && connection !== "off") call.useLoudspeaker();
    else call.tellSettings();
  });
  card.addEventListener("changed", () => conversation.showInfo());

  async function reconnect() {
    const { connection } = call.now;
    if ((await conversation.showInfo()) && connection === "off") conversation.begin();
  }
}
