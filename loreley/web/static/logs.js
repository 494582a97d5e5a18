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

let asked = 0;
const toEnd = () => {
  cancelAnimationFrame(asked);
  asked = requestAnimationFrame(() => { if (stay.checked) log.scrollTop = log.scrollHeight; });
};
listen(log.dataset.stream, (events) => {
  events.addEventListener("begin", () => { log.replaceChildren(); });
  events.addEventListener("line", (event) => {
    document.getElementById("nothing")?.remove();
    add(JSON.parse(event.data));
    toEnd();
  });
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
