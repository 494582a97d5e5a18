// Parts of a page that take a while, fetched when the rest is there. Our templates escape them.
for (const place of document.querySelectorAll("[data-fetch]")) {
  fetch(place.dataset.fetch).then(async (answer) => {
    if (!answer.ok) return;
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    place.replaceChildren(...parsed.querySelectorAll(".fragment"));
  }).catch(() => { /* the link stays */ });
}
