// The live end of the logs: at most so many events are kept, none of them is ever markup.
import { listen } from "./live.js";

const MOST = 2000;
const log = document.getElementById("log"), status = document.getElementById("status");
const words = document.getElementById("words"), stay = document.getElementById("stay");

const matches = (element) => element.textContent.toLowerCase().includes(words.value.toLowerCase());

function add([label, level, text]) {
  const event = document.createElement("div"), name = document.createElement("b");
  event.className = `event level-${level || "none"}`;
  name.textContent = label;
  event.append(name, ` ${text}`);
  event.hidden = words.value !== "" && !matches(event);
  log.append(event);
  while (log.childElementCount > MOST) log.firstElementChild.remove();
}

// What came while nobody looked or the server was away goes below what is shown already.
function resume(lines) {
  const shown = new Set([...log.children].map((event) => event.textContent));
  const missing = lines.filter(([label, , text]) => !shown.has(`${label} ${text}`));
  if (shown.size && missing.length && missing.length === lines.length) {
    add(["…", "", "lines that came meanwhile are left out"]);
  }
  missing.forEach(add);
}

let asked = 0;
const toEnd = () => {
  cancelAnimationFrame(asked);
  asked = requestAnimationFrame(() => { if (stay.checked) log.scrollTop = log.scrollHeight; });
};
listen(log.dataset.stream, (events) => {
  const shown = () => {
    if (log.childElementCount) document.getElementById("nothing")?.remove();
    toEnd();
  };
  events.addEventListener("begin", (event) => { resume(JSON.parse(event.data)); shown(); });
  events.addEventListener("line", (event) => { add(JSON.parse(event.data)); shown(); });
  events.addEventListener("open", () => { status.textContent = "live"; });
  events.addEventListener("error", () => { status.textContent = "waiting for the server"; });
});
words.addEventListener("input", () => {
  for (const event of log.children) event.hidden = words.value !== "" && !matches(event);
  toEnd();
});
words.form.addEventListener("submit", (event) => { if (document.activeElement === words) event.preventDefault(); });
for (const select of words.form.querySelectorAll("select")) {
  select.addEventListener("change", () => words.form.requestSubmit());
}
toEnd();
