// The keys of the page, which work wherever no text is typed.

const TYPED_INTO = "input:not([type=range]), textarea, select, [contenteditable]";
const PRESSED = "button, summary, a, input";

/**
 * Call `actions` by key: "m", "t", "s", "d" and "?" when the key goes down, `escape()`, and `space(down)` both
 * ways. A space on another button than the round one presses that button.
 */
export function bindKeys(actions) {
  let space = false;
  const release = () => {
    if (space) actions.space(false);
    space = false;
  };
  addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog:modal")) return;
    const { key, target } = event;
    if (key === "Escape") return actions.escape();
    if (target.closest(TYPED_INTO)) return;
    if (key === " " && (target.id === "orb" || !target.closest(PRESSED))) {
      event.preventDefault();
      space = true;
      return actions.space(true);
    }
    const act = actions[key.toLowerCase()];
    if (!act || key.length > 1) return;
    event.preventDefault();
    act();
  });
  addEventListener("keyup", (event) => {
    if (event.key !== " ") return;
    if (space) event.preventDefault(); // else it is a click, too
    release();
  });
  addEventListener("blur", release);
}
