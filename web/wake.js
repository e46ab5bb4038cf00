// Keeps the screen of a phone on during a conversation.

let wanted = false;
let lock = null;

export function keepAwake(on) {
  if (on === wanted) return;
  wanted = on;
  if (on) request();
  else lock?.release();
}

/** The browser releases the lock when the page is hidden, and refuses it when the battery is low. */
async function request() {
  if (!wanted || document.visibilityState !== "visible") return;
  lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
  if (!wanted) lock?.release();
}

document.addEventListener("visibilitychange", request);
