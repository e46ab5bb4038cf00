// The token of the server, which the tab keeps until it is closed.

const NAME = "s2s.token";

/**
 * The token behind the # of the address, which browsers do not send to any server, or the one that the tab keeps. It
 * leaves the address, which people copy, and which a screen that is shared shows.
 */
export function readToken() {
  const linked = new URLSearchParams(location.hash.slice(1)).get("token");
  if (linked === null) return kept();
  history.replaceState(history.state, "", location.pathname + location.search);
  keepToken(linked);
  return linked;
}

export function keepToken(token) {
  try {
    sessionStorage.setItem(NAME, token);
  } catch {
    // this browser keeps nothing: the token holds until the page closes
  }
}

function kept() {
  try {
    return sessionStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}
