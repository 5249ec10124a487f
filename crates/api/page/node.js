// Speaks to the node: one request at a time, and its events. The session is in this tab alone, and goes with it.

const KEY = "commonhold session";
/// The node says something every four seconds, if only that it is there.
const SILENT_MS = 12_000;
const RETRY_MS = [500, 1000, 2000, 3000];

let session = sessionStorage.getItem(KEY);

/// Why the node did not do what it was asked.
export class Refusal extends Error {
  constructor(status, said) {
    super(said.error);
    this.status = status;
    this.code = said.code;
    this.advice = said.what_to_do;
  }
}

/// The node does not answer.
export class Gone extends Error {}

const headers = (more) => (session ? { Authorization: `Bearer ${session}`, ...more } : more);

function request(method, path, body, signal) {
  if (body === undefined) return raw(method, path, undefined, {}, signal);
  return raw(method, path, JSON.stringify(body), { "Content-Type": "application/json" }, signal);
}

async function raw(method, path, body, sent, signal) {
  let response;
  try {
    response = await fetch(path, {
      method,
      signal,
      headers: headers(sent),
      body,
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
    });
  } catch {
    throw new Gone();
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({ error: response.statusText, what_to_do: "" }));
  throw new Refusal(response.status, said);
}

/// Asks for JSON, or sends some.
export async function call(method, path, body) {
  const response = await request(method, path, body);
  return response.status === 204 ? undefined : response.json();
}

/// Asks for a part of a list, and where the next one is.
export async function part(path) {
  const response = await request("GET", path);
  const next = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "");
  return { list: await response.json(), next: next && next[1] };
}

/// Sends a file.
export async function send(path, body, method = "POST") {
  const response = await raw(method, path, body, { "Content-Type": "application/octet-stream" }).catch(async (why) => {
    throw why instanceof Gone && !(await readable(body)) ? new Unreadable() : why;
  });
  return response.status === 204 ? undefined : response.json();
}

/// A file that was chosen is not as it was.
export class Unreadable extends Error {}

const readable = (file) => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/// Sends a file and says how much of it has gone; how much there is, too.
export function upload(path, body, told) {
  return new Promise((done, failed) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", path);
    for (const [name, value] of Object.entries(headers({ "Content-Type": "application/octet-stream" }))) sending.setRequestHeader(name, value);
    sending.upload.onprogress = ({ loaded, total }) => told(loaded, total);
    // A file that was changed or taken away since it was chosen cannot be sent either.
    sending.onerror = () => readable(body).then((is) => failed(is ? new Gone() : new Unreadable()));
    sending.onload = () => {
      const said = parsed(sending.responseText) ?? { error: sending.statusText, what_to_do: "" };
      if (sending.status === 200) done(said);
      else failed(new Refusal(sending.status, said));
    };
    sending.send(body);
  });
}

/// Asks for a file; gives it, and what it is called if the node says so.
export async function file(path, method = "GET", body = undefined) {
  const response = await request(method, path, body);
  const called = /filename="([^"/\\]+)"/.exec(response.headers.get("content-disposition") ?? "");
  return Object.assign(await response.blob(), { called: called && called[1] });
}

const CODE = /[#&?]code=([0-9a-f]{64})/;
const code = () => CODE.exec(location.hash) ?? CODE.exec(location.search);

/// Whether the page's address has a code that opens it.
export const invited = () => code() !== null;

/// Taken out of the address, and not shown to the node yet.
let taken = null;

/// Swaps the code in the page's address for a session, and takes it out of the address. While the node does not answer, it
/// can be called again.
export async function enter() {
  const found = code();
  if (found) {
    history.replaceState(null, "", "/");
    forget();
    taken = found[1];
  }
  if (taken) {
    const opened = await call("POST", "/v1/page/sessions", { code: taken }).catch((why) => {
      if (why instanceof Refusal) taken = null;
      throw why;
    });
    taken = null;
    session = opened.session;
    sessionStorage.setItem(KEY, session);
  }
  return session !== null;
}

function forget() {
  session = null;
  sessionStorage.removeItem(KEY);
}

/// Ends the session.
export async function lock() {
  await call("DELETE", "/v1/page/sessions").catch(() => {});
  forget();
}

/// Listens to the node until the session is over: says each event, and whether the node is there.
export async function listen({ onEvent, onThere, onGone, onLocked }) {
  for (let tries = 0; ; tries += 1) {
    const stop = new AbortController();
    let quiet = setTimeout(() => stop.abort(), SILENT_MS);
    const shown = session;
    try {
      const response = await request("GET", "/v1/events", undefined, stop.signal);
      tries = 0;
      onThere();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let read = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        clearTimeout(quiet);
        quiet = setTimeout(() => stop.abort(), SILENT_MS);
        read += value;
        const lines = read.split("\n");
        read = lines.pop();
        for (const line of lines) {
          if (line.startsWith("data:")) onEvent(JSON.parse(line.slice(5)));
        }
      }
    } catch (why) {
      if (why instanceof Refusal && why.code === "token" && session === shown) {
        forget();
        onLocked();
        return;
      }
    }
    clearTimeout(quiet);
    onGone();
    await new Promise((done) => setTimeout(done, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]));
  }
}
