// Follows what happens: fetches a part of the page again when the server says that it changed.

const SHORTEST_MS = 900;

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
  const events = new EventSource(source);
  events.addEventListener("changed", ask);
  addEventListener("pagehide", () => events.close());
  return ask;
}

// The parts come from our own templates, which escape everything.
export async function refresh(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok) return false;
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parsed.querySelectorAll("[data-part]")) {
    replace(document.getElementById(part.dataset.part), part);
  }
  return true;
}

function replace(element, part) {
  if (element.innerHTML === part.innerHTML) return;
  const focused = element.contains(document.activeElement)
    ? document.activeElement.getAttribute("href") : null;
  element.replaceChildren(...part.childNodes);
  if (focused) element.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}
