// Every evaluation as a point of the chart: its colour says where it comes from, or what became of it.

import { short } from "./charts.js";

const COLOURS = 8; // in style.css; the last one is for all others
const COLUMNS = { agent: 4, operator: 5, island: 6, outcome: 7 };
const [AT, ORDINAL, FITNESS, ERROR] = [0, 1, 2, 3], CONFIRMED = 8;
const WORDS = { rejected: "not better", waits: "not taken in yet" };

function name(figures, by, point) {
  const value = point[COLUMNS[by]];
  if (by === "island") return `island ${value}`;
  const text = figures.names[by][value];
  return by === "outcome" ? WORDS[text] ?? text : text;
}

const OUTCOMES = new Map([["improved", 2], ["new", 0], ["challenging", 4], ["not better", COLOURS - 1]]);

// The names that most points have, each with the number of its colour.
function choose(figures, by) {
  if (by === "outcome") {
    const seen = new Set(figures.points.map((point) => name(figures, by, point)));
    return new Map([...seen].sort().map((one) => [one, OUTCOMES.get(one) ?? 6]));
  }
  const counts = new Map();
  for (const point of figures.points) {
    const one = name(figures, by, point);
    counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  const names = [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([one]) => one);
  return new Map(names.map((one, i) => [one, Math.min(i, COLOURS - 1)]));
}

function describe(figures, point) {
  const error = point[ERROR] > 0 ? ` ± ${short(point[ERROR])}` : "";
  const from = [...new Set(["agent", "operator"].map((by) => name(figures, by, point)))].join(", ");
  const job = point[ORDINAL] >= 0 ? `#${point[ORDINAL]}` : point[ORDINAL] === -1 ? "root" : `extra ${-point[ORDINAL]}`;
  const confirmed = point[CONFIRMED] ? ", confirmed" : "";
  return `${job}: ${short(point[FITNESS])}${error}, ${name(figures, "outcome", point)}${confirmed} · ${from}`;
}

// moments: [[at, evaluations], …] ascending; the number of evaluations at a time, between them too
function countAt(moments, at) {
  let low = 0, high = moments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moments[middle][0] < at) low = middle + 1; else high = middle;
  }
  const after = moments[Math.min(low, moments.length - 1)], before = moments[Math.max(0, low - 1)];
  const span = after[0] - before[0];
  return span > 0 ? before[1] + ((at - before[0]) / span) * (after[1] - before[1]) : after[1];
}

export function cloud(figures, by, moments, axis) {
  const place = axis === "time" ? (at) => new Date(at * 1000) : (at) => countAt(moments, at);
  const numbers = choose(figures, by), style = getComputedStyle(document.documentElement);
  const colours = Array.from({ length: COLOURS }, (_, i) => style.getPropertyValue(`--group-${i}`).trim());
  return {
    legend: numbers,
    points: figures.points.map((point) => ({
      x: place(point[AT]), y: point[FITNESS], marked: point[CONFIRMED] === 1,
      colour: colours[numbers.get(name(figures, by, point))],
      text: describe(figures, point), href: `/jobs?find=${encodeURIComponent(`#${point[ORDINAL]}`)}`,
    })),
    marks: figures.marks.map(([at, kind, text]) => ({ x: place(at), kind, text })),
  };
}

export function showLegend(list, numbers) {
  const last = [...numbers].filter(([, colour]) => colour === COLOURS - 1);
  const items = last.length > 1
    ? [...[...numbers].filter(([, colour]) => colour < COLOURS - 1), [`${last.length} others`, COLOURS - 1]]
    : [...numbers];
  list.replaceChildren(...items.map(([one, colour]) => {
    const item = document.createElement("li"), key = document.createElement("i");
    key.className = `key group-${colour}`;
    item.append(key, one);
    return item;
  }));
}
