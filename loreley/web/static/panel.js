// A chosen cell is shown beside the map; with a modifier, or without a script, the link is followed.
const panel = document.getElementById("panel");

async function show(link) {
  const answer = await fetch(link.getAttribute("href"));
  if (!answer.ok) { location.href = link.getAttribute("href"); return; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const title = page.querySelector("#commit h1"), picture = page.querySelector("[data-picture] img");
  const whole = document.createElement("p"), anchor = document.createElement("a");
  anchor.href = link.getAttribute("href");
  anchor.textContent = "diff against parent and root, children →";
  whole.append(anchor);
  const name = document.createElement("p");
  name.className = "wrap";
  name.textContent = title ? title.textContent : "";
  panel.replaceChildren(name, ...(picture ? [picture] : []), whole,
    ...(page.querySelector("[data-summary]")?.childNodes ?? []));
  for (const other of document.querySelectorAll("[data-cell].chosen")) other.classList.remove("chosen");
  link.classList.add("chosen");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-cell]");
  if (!panel || !link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  show(link).catch(() => { location.href = link.getAttribute("href"); });
});
