// The page: makes its parts and joins them. `page` holds all of them; each takes from it what it needs.

import { watchForTrouble } from "./alarms.js";
import { Call } from "./call.js";
import { FirstRunCard } from "./card.js";
import { bindControls } from "./controls.js";
import { Conversation } from "./conversation.js";
import { Details } from "./details.js";
import { Display } from "./display.js";
import { Dock } from "./dock.js";
import { Figures } from "./figures.js";
import { Keepsake } from "./keepsake.js";
import { Messages } from "./messages.js";
import { Newest } from "./newest.js";
import { Orb } from "./orb.js";
import { Outgoing } from "./outgoing.js";
import { Settings } from "./settings.js";
import { Transcript } from "./transcript.js";
import { Trouble } from "./trouble.js";

const part = (id) => document.getElementById(id);
const page = {};

// -- what is seen -------------------------------------------------------------------------------------

page.settings = new Settings(part("settings"));
page.details = new Details(part("details"));
page.card = new FirstRunCard(part("card"));
page.trouble = new Trouble(part("trouble"));
page.transcript = new Transcript(part("transcript"));
page.newest = new Newest(part("stage"), part("transcript"), part("newest"));
page.dock = new Dock(part("dock"));

// -- what happens -------------------------------------------------------------------------------------

page.call = new Call(page.settings);
page.orb = new Orb(part("orb"), () => page.call.sound.levels());
page.display = new Display(page);
page.outgoing = new Outgoing(page.call, page.transcript);
page.figures = new Figures();
page.conversation = new Conversation(page);
page.messages = new Messages(page);
watchForTrouble(page);

const { call, details, display, figures, messages, settings, silence, transcript } = page;

call.addEventListener("change", () => display.render());
call.addEventListener("message", ({ detail }) => {
  details.log(detail);
  messages.handle(detail);
  display.render();
});
call.addEventListener("played", ({ detail }) => {
  figures.played(detail);
  if (detail.position) transcript.played(detail.position);
  if (details.isOpen) details.figures(figures.of(call));
});
call.sound.addEventListener("packet", ({ detail: { peak } }) => {
  figures.packetSent();
  silence.hear(peak);
  settings.level(peak);
});

// -- what the user does -------------------------------------------------------------------------------

page.keepsake = new Keepsake(page);
bindControls(page);

page.conversation.showInfo();
display.render();
document.body.inert = false; // before, a tap or a message would have been lost
