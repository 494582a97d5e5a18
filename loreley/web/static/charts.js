// Charts with d3: as wide as their place, redrawn when it changes, readable by hovering.
/* global d3 */

const MARGIN = { top: 8, right: 12, bottom: 22, left: 46 };
const CHARACTER = 6.6; // how wide one of a label is, at most
const NEAR = 14; // pixels from the pointer within which a point is meant

// labels: those of the vertical axis, which have room on the left
function frame(place, labels = []) {
  const width = Math.max(220, place.clientWidth), height = place.clientHeight;
  const left = Math.max(MARGIN.left, 10 + CHARACTER * d3.max(["", ...labels], (each) => each.length));
  place.replaceChildren();
  const svg = d3.select(place).append("svg").attr("width", width).attr("height", height)
    .attr("viewBox", `0 0 ${width} ${height}`).attr("role", "img");
  const inner = svg.append("g").attr("transform", `translate(${left},${MARGIN.top})`);
  return {
    svg, inner, left,
    width: width - left - MARGIN.right,
    height: height - MARGIN.top - MARGIN.bottom,
  };
}

// As people write times who do not count to twelve; the day where it begins.
const seconds = d3.timeFormat("%H:%M:%S"), minutes = d3.timeFormat("%H:%M"), days = d3.timeFormat("%d %b");
const clock = (t) => {
  if (t.getSeconds()) return seconds(t);
  return t.getHours() || t.getMinutes() ? minutes(t) : days(t);
};

function axes({ inner, width, height }, x, y, ticksX, time) {
  const values = y.ticks(4), labels = apart(values);
  inner.append("g").attr("class", "grid").call(
    d3.axisLeft(y).tickValues(values).tickSize(-width).tickFormat((_, i) => labels[i]));
  const bottom = d3.axisBottom(x).ticks(ticksX).tickSize(4);
  inner.append("g").attr("class", "axis").attr("transform", `translate(0,${height})`)
    .call(time ? bottom.tickFormat(clock) : bottom);
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

// The record with most of the cloud: a few points far off would leave no room for the others.
function rangeWith(ys, cloud) {
  if (!cloud.length) return range(ys);
  const sorted = Float64Array.from(cloud, (p) => p.y).sort();
  return range([...ys, d3.quantileSorted(sorted, 0.05), d3.quantileSorted(sorted, 0.95)]);
}

// points: [[x, y], …] in the order of x; steps, as a record stands until it is broken
// cloud: [{x, y, colour, text, href}, …]; marks: [{x, text}, …]
export function line(place, points, { label, time, area = false, describe, cloud = [], marks = [] }) {
  if (!points.length) {
    const f = frame(place);
    f.inner.append("text").attr("class", "none").attr("x", f.width / 2).attr("y", f.height / 2)
      .text("nothing yet");
    return;
  }
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
  // The area below a line is a size: it begins at nothing.
  const [low, high] = area ? [Math.min(0, ...ys), Math.max(...ys) || 1] : rangeWith(ys, cloud);
  const pad = (high - low) * 0.06;
  const y = d3.scaleLinear().domain([low - (area ? 0 : pad), high + pad]).clamp(true);
  const f = frame(place, apart(y.ticks(4)));
  y.range([f.height, 0]);
  const [first, last] = d3.extent([...xs, ...cloud.map((p) => p.x)]);
  const x = (time ? d3.scaleTime() : d3.scaleLinear())
    .domain(+first === +last ? [first, +first + 1] : [first, last]).range([0, f.width]);
  axes(f, x, y, Math.max(2, Math.round(f.width / 110)), time);
  const drawn = cloud.length ? dots(place, f, cloud, x, y) : [];
  if (area) {
    f.inner.append("path").attr("class", "area").datum(points).attr("d", d3.area()
      .curve(d3.curveStepAfter).x((p) => x(p[0])).y0(f.height).y1((p) => y(p[1])));
  }
  f.inner.append("path").attr("class", "line").datum(points).attr("d", d3.line()
    .curve(d3.curveStepAfter).x((p) => x(p[0])).y((p) => y(p[1])));
  for (const mark of marks) {
    if (mark.x < first || mark.x > last) continue;
    const group = f.inner.append("g").attr("class", `moment moment-${mark.kind}`)
      .attr("transform", `translate(${x(mark.x)},0)`);
    group.append("line").attr("y1", 0).attr("y2", f.height);
    group.append("path").attr("d", "M0 0 l5 -6 h-10 z").attr("transform", "translate(0,6)");
    group.append("title").text(`${mark.kind}: ${mark.text}`);
  }
  f.svg.append("title").text(`${label}: from ${short(ys[0])} to ${short(ys[ys.length - 1])}`);
  pointer(place, f, points, x, y, describe, drawn);
}

// On a canvas: thousands of elements would make the page slow.
function dots(place, f, cloud, x, y) {
  const canvas = document.createElement("canvas"), ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round((f.width + 8) * ratio);
  canvas.height = Math.round((f.height + 8) * ratio);
  canvas.setAttribute("aria-hidden", "true");
  const shown = d3.select(canvas).attr("class", "dots").style("width", `${f.width + 8}px`)
    .style("height", `${f.height + 8}px`).style("left", `${f.left - 4}px`).style("top", `${MARGIN.top - 4}px`);
  place.prepend(shown.node());
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.translate(4, 4);
  const size = cloud.length > 3000 ? 1.6 : cloud.length > 600 ? 2.2 : 3;
  const drawn = cloud.map((point) => ({ point, left: x(point.x), top: y(point.y) }));
  for (const each of drawn) {
    pen.globalAlpha = 0.62;
    pen.fillStyle = each.point.colour;
    pen.beginPath();
    pen.arc(each.left, each.top, size, 0, 7);
    pen.fill();
    if (each.point.marked) {
      pen.globalAlpha = 1;
      pen.strokeStyle = each.point.colour;
      pen.lineWidth = 1.5;
      pen.beginPath();
      pen.arc(each.left, each.top, size + 3, 0, 7);
      pen.stroke();
    }
  }
  return drawn;
}

function pointer(place, f, points, x, y, describe, drawn) {
  const mark = f.inner.append("g").attr("class", "mark").style("display", "none");
  mark.append("line").attr("y1", 0).attr("y2", f.height);
  mark.append("circle").attr("r", 4);
  const tip = d3.select(place).append("div").attr("class", "tip").style("display", "none");
  const find = d3.bisector((p) => p[0]).right;
  const near = ([left, top]) => {
    let best = null, distance = NEAR * NEAR;
    for (const each of drawn) {
      const away = (each.left - left) ** 2 + (each.top - top) ** 2;
      if (away <= distance) { best = each; distance = away; }
    }
    return best;
  };
  f.svg.on("mousemove", (event) => {
    const at = d3.pointer(event, f.inner.node()), dot = near(at);
    const found = Math.min(points.length - 1, Math.max(0, find(points, x.invert(at[0])) - 1));
    const px = dot ? dot.left : x(points[found][0]);
    mark.style("display", null).attr("transform", `translate(${px},0)`)
      .select("circle").attr("cy", dot ? dot.top : y(points[found][1]));
    f.svg.classed("leads", dot !== null);
    tip.style("display", null).text(dot ? dot.point.text : describe(points[found], found));
    const width = tip.node().offsetWidth, room = place.clientWidth - width - 4;
    tip.style("left", `${Math.max(0, Math.min(room, px + f.left - width / 2))}px`);
  }).on("mouseleave", () => { mark.style("display", "none"); tip.style("display", "none"); })
    .on("click", (event) => {
      const dot = near(d3.pointer(event, f.inner.node()));
      if (dot) location.assign(dot.point.href);
    });
}

// pairs: [[succeeded, others], …], a minute each, the last one being the present
export function bars(place, pairs, { label, now }) {
  const f = frame(place);
  const most = Math.max(1, d3.max(pairs, (p) => p[0] + p[1]));
  const x = d3.scaleTime().range([0, f.width])
    .domain([new Date((now - pairs.length * 60) * 1000), new Date(now * 1000)]);
  const y = d3.scaleLinear().domain([0, most]).range([f.height, 0]).nice();
  axes(f, x, y, Math.max(2, Math.round(f.width / 110)), true);
  const step = f.width / pairs.length, wide = Math.max(1, step - 1.5);
  const group = f.inner.selectAll("g.minute").data(pairs).enter().append("g")
    .attr("transform", (_, i) => `translate(${i * step},0)`);
  group.append("rect").attr("class", "good").attr("width", wide)
    .attr("y", (p) => y(p[0])).attr("height", (p) => f.height - y(p[0]));
  group.append("rect").attr("class", "bad").attr("width", wide)
    .attr("y", (p) => y(p[0] + p[1])).attr("height", (p) => y(p[0]) - y(p[0] + p[1]));
  group.append("title").text((p, i) =>
    `${pairs.length - 1 - i} min ago: ${p[0]} succeeded, ${p[1]} not`);
  f.svg.append("title").text(label);
}
