// Elements of the page, made in one call each.

/** An element with these properties; a property whose name has a dash is set as an attribute. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** A button that submits nothing. `name` is what a screen reader says in place of its text. */
export function button(text, run, { name = "", className = "" } = {}) {
  const element = make("button", { type: "button", className, onclick: run }, text);
  if (name) element.setAttribute("aria-label", name);
  return element;
}

/** A button that copies what `text` returns, and says so for two seconds. */
export function copyButton(text, name) {
  const label = "Copy";
  const element = button(label, null, { className: "quiet" });
  element.title = name;
  copies(element, text, (outcome) => (element.textContent = outcome || label));
  return element;
}

/** Let a button copy what `text` returns. `show` is called with how that went, and after two seconds with "". */
export function copies(element, text, show) {
  element.onclick = async () => {
    show((await copied(text())) ? "Copied" : "Not allowed");
    setTimeout(() => show(""), 2000);
  };
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // not a secure context, or the browser asked and the user said no
  }
}
