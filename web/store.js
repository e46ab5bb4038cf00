// What the browser keeps between two visits.

const PREFIX = "s2s.";

/** The value kept under this name, or `otherwise` where there is none or the browser keeps nothing. */
export function kept(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // a private window may keep nothing, or the space is full: the value holds until the page closes
  }
}
