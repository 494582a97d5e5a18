import { bars, line, short } from "./charts.js";
import { cloud, showLegend } from "./cloud.js";
import { follow, refresh } from "./live.js";

const charts = document.getElementById("charts");
const place = (name) => document.getElementById(`chart-${name}`);
const away = document.getElementById("away");
let shownAt = new Date();
const choice = document.getElementById("colour-by");
let figures = null, evaluations = null, askAgainAt = 0;
let axis = "time";

function draw() {
  if (!figures || charts.hidden) return;
  const moments = axis === "time" ? figures.moments : figures.moments.filter((m) => m[1] > 0);
  const x = (m) => (axis === "time" ? new Date(m[0] * 1000) : m[1]);
  const where = (m) => `after ${m[1]} evaluations, ${new Date(m[0] * 1000).toLocaleString()}`;
  const one = (name, column, label, area, more = {}) => line(place(name), moments.map((m) => [x(m), m[column]]), {
    label, area, time: axis === "time", ...more,
    describe: (point, at) => `${short(point[1])} ${where(moments[at])}`,
  });
  const shown = evaluations && moments.length ? cloud(evaluations, choice.value, moments, axis) : null;
  one("best", 2, `best ${charts.dataset.label}`, false, shown ? { cloud: shown.points, marks: shown.marks } : {});
  if (shown) showLegend(document.getElementById("cloud-legend"), shown.legend);
  document.getElementById("cloud-step").textContent = evaluations?.step > 1
    ? `one of ${evaluations.step} of ${evaluations.count} evaluations is shown` : "";
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
  const history = await fetch("/figures/history");
  if (!history.ok) return;
  figures = await history.json();
  await updateCloud();
  charts.hidden = charts.hidden && !figures.moments.length;
  draw();
}

// The more points there are, the less often they are asked for.
async function updateCloud() {
  const began = performance.now();
  if (evaluations && began < askAgainAt) return;
  const answer = await fetch("/figures/cloud");
  if (answer.ok) evaluations = await answer.json();
  askAgainAt = performance.now() + 20 * (performance.now() - began);
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
choice.addEventListener("change", draw);
new ResizeObserver(() => draw()).observe(charts);
follow("/events", update)();
