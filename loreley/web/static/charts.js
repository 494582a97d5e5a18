// Line and bar charts with d3: as wide as their place, redrawn when it changes, readable by hovering.
/* global d3 */

const MARGIN = { top: 8, right: 12, bottom: 22, left: 46 };
const CHARACTER = 6.6; // how wide one of a label is, at most

// labels: those of the vertical axis, which have room on the left
function frame(place, labels = []) {
  const width = Math.max(220, place.clientWidth), height = place.clientHeight;
  const left = Math.max(MARGIN.left, 10 + CHARACTER * d3.max(["", ...labels], (each) => each.length));
  place.replaceChildren();
  const svg = d3.select(place).append("svg")
    .attr({ width, height, viewBox: `0 0 ${width} ${height}`, role: "img" });
  const inner = svg.append("g").attr("transform", `translate(${left},${MARGIN.top})`);
  return {
    svg, inner, left,
    width: width - left - MARGIN.right,
    height: height - MARGIN.top - MARGIN.bottom,
  };
}

// As people write times who do not count to twelve; the day where it begins.
const clock = d3.time.format.multi([
  ["%H:%M:%S", (t) => t.getSeconds()], ["%H:%M", (t) => t.getHours() || t.getMinutes()],
  ["%d %b", () => true],
]);

function axes({ inner, width, height }, x, y, ticksX, time) {
  const values = y.ticks(4), labels = apart(values);
  inner.append("g").attr("class", "grid").call(
    d3.svg.axis().scale(y).orient("left").tickValues(values).tickSize(-width)
      .tickFormat((_, i) => labels[i]));
  const bottom = d3.svg.axis().scale(x).orient("bottom").ticks(ticksX).tickSize(4);
  inner.append("g").attr("class", "axis").attr("transform", `translate(0,${height})`).call(time ? bottom.tickFormat(clock) : bottom);
}

export const short = (value) => {
  const size = Math.abs(value);
  if (size >= 1e5 || (size > 0 && size < 1e-3)) return value.toExponential(1);
  return String(Number(value.toPrecision(size >= 1000 ? 5 : 4)));
};

// As short as they may be while they differ.
function apart(values) {
  const plain = values.map(short);
  for (let digits = 6; new Set(plain).size < plain.length && digits < 18; digits += 1) {
    values.forEach((value, i) => { plain[i] = String(Number(value.toPrecision(Math.min(digits, 17)))); });
  }
  return plain;
}

// What rounding alone has made different is drawn as one.
function range(values) {
  let [low, high] = d3.extent(values);
  const largest = Math.max(Math.abs(low), Math.abs(high));
  if (high - low <= largest * 1e-12) { low -= largest * 0.05 || 1; high += largest * 0.05 || 1; }
  return [low, high];
}

// points: [[x, y], …] in the order of x; steps, as a record stands until it is broken
export function line(place, points, { label, time, area = false, describe }) {
  if (!points.length) {
    const f = frame(place);
    f.inner.append("text").attr({ class: "none", x: f.width / 2, y: f.height / 2 })
      .text("nothing yet");
    return;
  }
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
  // The area below a line is a size: it begins at nothing.
  const [low, high] = area ? [Math.min(0, ...ys), Math.max(...ys) || 1] : range(ys);
  const pad = (high - low) * 0.06;
  const y = d3.scale.linear().domain([low - (area ? 0 : pad), high + pad]);
  const f = frame(place, apart(y.ticks(4)));
  y.range([f.height, 0]);
  const x = (time ? d3.time.scale() : d3.scale.linear())
    .domain(xs[0] === xs[xs.length - 1] ? [xs[0], xs[0] + 1] : d3.extent(xs)).range([0, f.width]);
  axes(f, x, y, Math.max(2, Math.round(f.width / 110)), time);
  if (area) {
    f.inner.append("path").attr("class", "area").datum(points).attr("d", d3.svg.area()
      .interpolate("step-after").x((p) => x(p[0])).y0(f.height).y1((p) => y(p[1])));
  }
  f.inner.append("path").attr("class", "line").datum(points).attr("d", d3.svg.line()
    .interpolate("step-after").x((p) => x(p[0])).y((p) => y(p[1])));
  f.svg.append("title").text(`${label}: from ${short(ys[0])} to ${short(ys[ys.length - 1])}`);
  pointer(place, f, points, x, y, describe);
}

function pointer(place, f, points, x, y, describe) {
  const mark = f.inner.append("g").attr("class", "mark").style("display", "none");
  mark.append("line").attr({ y1: 0, y2: f.height });
  mark.append("circle").attr("r", 4);
  const tip = d3.select(place).append("div").attr("class", "tip").style("display", "none");
  const find = d3.bisector((p) => p[0]).right;
  f.svg.on("mousemove", () => {
    const [left] = d3.mouse(f.inner.node());
    const at = Math.min(points.length - 1, Math.max(0, find(points, x.invert(left)) - 1));
    const point = points[at], px = x(point[0]);
    mark.style("display", null).attr("transform", `translate(${px},0)`)
      .select("circle").attr("cy", y(point[1]));
    tip.style("display", null).text(describe(point, at));
    const width = tip.node().offsetWidth, room = place.clientWidth - width - 4;
    tip.style("left", `${Math.max(0, Math.min(room, px + f.left - width / 2))}px`);
  }).on("mouseleave", () => { mark.style("display", "none"); tip.style("display", "none"); });
}

// pairs: [[succeeded, others], …], a minute each, the last one being the present
export function bars(place, pairs, { label, now }) {
  const f = frame(place);
  const most = Math.max(1, d3.max(pairs, (p) => p[0] + p[1]));
  const x = d3.time.scale().range([0, f.width])
    .domain([new Date((now - pairs.length * 60) * 1000), new Date(now * 1000)]);
  const y = d3.scale.linear().domain([0, most]).range([f.height, 0]).nice();
  axes(f, x, y, Math.max(2, Math.round(f.width / 110)), true);
  const step = f.width / pairs.length, wide = Math.max(1, step - 1.5);
  const group = f.inner.selectAll("g.minute").data(pairs).enter().append("g")
    .attr("transform", (_, i) => `translate(${i * step},0)`);
  group.append("rect").attr({ class: "good", width: wide })
    .attr("y", (p) => y(p[0])).attr("height", (p) => f.height - y(p[0]));
  group.append("rect").attr({ class: "bad", width: wide })
    .attr("y", (p) => y(p[0] + p[1])).attr("height", (p) => y(p[0]) - y(p[0] + p[1]));
  group.append("title").text((p, i) =>
    `${pairs.length - 1 - i} min ago: ${p[0]} succeeded, ${p[1]} not`);
  f.svg.append("title").text(label);
}
