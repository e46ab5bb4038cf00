// Requests to the server, with the token.

/** The response to a request that succeeded. Throws an Error with `status`; 0: no server answered. */
export async function request(path, token, options = {}) {
  const headers = { ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch {
    throw Object.assign(new Error("The server cannot be reached."), { status: 0 });
  }
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  const text = error?.message ?? `The server answered with status ${response.status}.`;
  throw Object.assign(new Error(text), { status: response.status });
}

/** What runs on the server, what it can do, and what would be better. Throws as `request` does. */
export async function fetchInfo(token) {
  return (await request("/v1/info", token)).json();
}

/** A request whose body is JSON. */
export function post(path, token, fields) {
  const json = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) };
  return request(path, token, fields ? json : { method: "POST" });
}
