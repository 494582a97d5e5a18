// Follows what happens: fetches a part of the page again when the server says that it changed.

const SHORTEST_MS = 900;
const LONGEST_MS = 15000; // ages and warnings change with the time alone

// A browser opens six connections to a server for all of its tabs: one that nobody sees needs none.
export function listen(source, opened) {
  let events = null;
  const close = () => { events?.close(); events = null; };
  const update = () => {
    if (document.visibilityState === "hidden") close();
    else if (events === null) { events = new EventSource(source); opened(events); }
  };
  document.addEventListener("visibilitychange", update);
  addEventListener("pagehide", close);
  addEventListener("pageshow", update);
  update();
}

export function follow(source, onChange) {
  let timer = null, last = 0, running = false, again = false;
  const run = async () => {
    timer = null;
    if (running) { again = true; return; }
    running = true;
    last = performance.now();
    try { await onChange(); } catch { /* the next change tries again */ }
    running = false;
    if (again) { again = false; ask(); }
  };
  const ask = () => {
    if (timer === null) timer = setTimeout(run, Math.max(0, last + SHORTEST_MS - performance.now()));
  };
  listen(source, (events) => {
    for (const name of ["changed", "away", "error"]) events.addEventListener(name, ask);
  });
  setInterval(() => { if (document.visibilityState !== "hidden") ask(); }, LONGEST_MS);
  return ask;
}

// The parts come from our own templates, which escape everything. Says why it could not.
export async function refresh(address) {
  let answer;
  try {
    answer = await fetch(address, { headers: { Accept: "text/html" } });
  } catch {
    return "The dashboard does not answer";
  }
  if (answer.status === 503) return "The database does not answer";
  if (!answer.ok) return "The dashboard cannot show more";
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parsed.querySelectorAll("[data-part]")) {
    replace(document.getElementById(part.dataset.part), part);
  }
  return "";
}

function replace(element, part) {
  if (element.innerHTML === part.innerHTML) return;
  const focused = element.contains(document.activeElement)
    ? document.activeElement.getAttribute("href") : null;
  element.replaceChildren(...part.childNodes);
  if (focused) element.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}
