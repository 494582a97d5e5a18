// A chosen cell is shown beside the map, its diff below; without a script its link is followed.
const panel = document.getElementById("panel"), below = document.getElementById("below");

// Our own pages: their templates escape everything.
async function read(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function linked(address, text) {
  const line = document.createElement("p"), link = document.createElement("a");
  link.href = address;
  link.textContent = text;
  line.append(link);
  return line;
}

function showChanges(page, commit) {
  const changes = page.getElementById("changes");
  for (const link of changes?.querySelectorAll("nav a") ?? []) {
    link.href = commit + link.getAttribute("href");
    link.dataset.changes = commit;
  }
  below.replaceChildren(...(changes ? [changes] : []));
}

async function show(link) {
  const commit = link.getAttribute("href"), page = await read(commit);
  const name = document.createElement("p");
  name.className = "wrap";
  name.textContent = page.querySelector("#commit h1")?.textContent ?? "";
  const pictures = page.querySelectorAll("[data-pictures] img");
  panel.replaceChildren(name, ...pictures, linked(commit, "its own page →"),
    ...(page.querySelector("[data-summary]")?.childNodes ?? []));
  showChanges(page, commit);
  for (const other of document.querySelectorAll("[data-cell].chosen")) other.classList.remove("chosen");
  link.classList.add("chosen");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-cell], a[data-changes]");
  if (!panel || !link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const commit = link.dataset.changes;
  const done = commit ? read(link.href).then((page) => showChanges(page, commit)) : show(link);
  done.catch(() => { location.href = link.getAttribute("href"); });
});
