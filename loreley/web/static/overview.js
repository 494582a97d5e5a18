import { bars, line, short } from "./charts.js";
import { follow, refresh } from "./live.js";

const charts = document.getElementById("charts");
const place = (name) => document.getElementById(`chart-${name}`);
const away = document.getElementById("away");
let shownAt = new Date();
let figures = null;
let axis = "time";

function draw() {
  if (!figures || charts.hidden) return;
  const moments = axis === "time" ? figures.moments : figures.moments.filter((m) => m[1] > 0);
  const x = (m) => (axis === "time" ? new Date(m[0] * 1000) : m[1]);
  const where = (m) => `after ${m[1]} evaluations, ${new Date(m[0] * 1000).toLocaleString()}`;
  const one = (name, column, label, area) => line(place(name), moments.map((m) => [x(m), m[column]]), {
    label, area, time: axis === "time",
    describe: (point, at) => `${short(point[1])} ${where(moments[at])}`,
  });
  one("best", 2, `best ${charts.dataset.label}`, false);
  one("qd", 3, "QD score", true);
  one("cells", 4, "cells filled", true);
  bars(place("pace"), figures.pace, { label: "jobs a minute", now: figures.now });
}

async function update() {
  const problem = await refresh("/overview/live");
  away.hidden = !problem;
  away.textContent = `${problem}: this is how it was at ${shownAt.toLocaleTimeString()}.`;
  if (problem) return;
  shownAt = new Date();
  const answer = await fetch("/figures/history");
  if (!answer.ok) return;
  figures = await answer.json();
  charts.hidden = charts.hidden && !figures.moments.length;
  draw();
}

for (const button of charts.querySelectorAll("[data-axis]")) {
  button.addEventListener("click", () => {
    axis = button.dataset.axis;
    for (const other of charts.querySelectorAll("[data-axis]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    draw();
  });
}
new ResizeObserver(() => draw()).observe(charts);
follow("/events", update)();
