"use strict";
// Packs items into bins of capacity 100 with as few bins as it can.

const CAPACITY = 100;

function byOrder(first, second) {
  const difference = second.size - first.size;
  if (difference !== 0) {
    return difference;
  }
  return first.id - second.id;
}

function free(bin) {
  let used = 0;
  for (const item of bin) {
    used += item.size;
  }
  return CAPACITY - used;
}

function preference(bin, item) {
  const left = free(bin) - item.size;
  if (left < 0) {
    return -Infinity;
  }
  return bin.length - left;
}

function choose(bins, item) {
  let best = -1;
  let bestValue = -Infinity;
  for (let index = 0; index < bins.length; index++) {
    const value = preference(bins[index], item);
    if (value > bestValue) {
      best = index;
      bestValue = value;
    }
  }
  return best;
}

function place(bins, item) {
  const index = choose(bins, item);
  if (index >= 0) {
    bins[index].push(item);
  } else {
    bins.push([item]);
  }
}

function emptiest(bins) {
  let found = 0;
  for (let index = 1; index < bins.length; index++) {
    if (free(bins[index]) > free(bins[found])) {
      found = index;
    }
  }
  return found;
}

function improve(bins) {
  const index = emptiest(bins);
  const others = bins.filter((_, place) => place !== index).map((bin) => [...bin]);
  const taken = [...bins[index]];
  taken.sort(byOrder);
  for (const item of taken) {
    place(others, item);
  }
  if (others.length > bins.length) {
    return bins;
  }
  return others;
}

function describe(bins) {
  const lines = [];
  for (const bin of bins) {
    const sizes = bin.map((item) => item.size).join(" + ");
    lines.push(`${sizes} = ${CAPACITY - free(bin)}`);
  }
  return lines.join("\n");
}

function pack(items) {
  const bins = [];
  const ordered = [...items];
  if (ordered.length > 1) {
    ordered.sort((first, second) => first.id - second.id);
  }
  for (const item of ordered) {
    place(bins, item);
  }
  return improve(bins);
}

module.exports = { pack, describe };
