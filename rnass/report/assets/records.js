"use strict";
// One record: unpacked, with its pairs; and the text formats it is downloaded in. Bases are counted from 0.
const rnass = {};

rnass.OPENING = "([{<ABCDEFGHIJKLMNOPQRSTUVWXYZ";
rnass.CLOSING = ")]}>abcdefghijklmnopqrstuvwxyz";

/** The inverse of `pack` in rnass/report/records.py. */
rnass.unpack = async (packed) => {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return rnass.prepared(JSON.parse(await new Response(stream).text()));
};

/** Pairs [i, j, order] of a dot-bracket, sorted by i. */
rnass.pairsOf = (brackets) => {
  const stacks = new Map();
  const pairs = [];
  [...brackets].forEach((symbol, k) => {
    const opens = rnass.OPENING.indexOf(symbol);
    const closes = rnass.CLOSING.indexOf(symbol);
    if (opens >= 0) {
      if (!stacks.has(opens)) stacks.set(opens, []);
      stacks.get(opens).push(k);
    } else if (closes >= 0) {
      pairs.push([stacks.get(closes).pop(), k, closes]);
    }
  });
  return pairs.sort((one, other) => one[0] - other[0]);
};

rnass.prepared = (record) => {
  const length = record.bases.length;
  const partner = new Int32Array(length).fill(-1);
  record.pairs = rnass.pairsOf(record.dot_bracket);
  for (const [i, j] of record.pairs) {
    partner[i] = j;
    partner[j] = i;
  }
  const probability = new Map();
  if (record.map) record.map[0].forEach((i, k) => probability.set(i * length + record.map[1][k], record.map[2][k] / 1000));
  return Object.assign(record, {
    length,
    partner,
    probability: (i, j) => probability.get(Math.min(i, j) * length + Math.max(i, j)) ?? 0,
    number: (k) => (record.nick !== null && k >= record.nick ? k - record.nick + 1 : k + 1),
  });
};

/** A line of one symbol for each base, with & between two strands. */
rnass.marked = (record, line) => (record.nick === null ? line : `${line.slice(0, record.nick)}&${line.slice(record.nick)}`);

/** What is known of base k, for people: counted from 1 in its strand. */
rnass.described = (record, k) => {
  const strand = record.nick === null ? "" : k < record.nick ? "strand 1, " : "strand 2, ";
  const words = [`${strand}base ${record.number(k)} ${record.bases[k]}`];
  const p = record.partner[k];
  if (p < 0) words.push("unpaired");
  else {
    words.push(`pairs with ${record.number(p)} ${record.bases[p]}`);
    if (record.map) words.push(`probability ${record.probability(k, p).toFixed(3)}`);
  }
  if (record.confidence) words.push(`confidence ${(record.confidence[k] / 100).toFixed(2)}`);
  return words.join(", ");
};

rnass.formats = {
  dbn: (record) => `>${record.title}\n${rnass.marked(record, record.bases)}\n${rnass.marked(record, record.dot_bracket)}\n`,
  ct: (record) => {
    const five = (number) => String(number).padStart(5);
    const ends = [0, record.nick ?? 0, record.length]; // the last base of each strand, from 1
    const rows = [...record.bases].map((letter, k) => {
      const [before, after] = [ends.includes(k) ? 0 : k, ends.includes(k + 1) ? 0 : k + 2];
      return `${five(k + 1)} ${letter} ${five(before)} ${five(after)} ${five(record.partner[k] + 1)} ${five(k + 1)}\n`;
    });
    return `${five(record.length)} ${record.title}\n${rows.join("")}`;
  },
  bpseq: (record) => {
    const rows = [...record.bases].map((letter, k) => `${k + 1} ${letter} ${record.partner[k] + 1}\n`);
    return `# ${record.title}${record.note}\n${rows.join("")}`;
  },
  /** NumPy's format, version 1: float32, L x L, in rows. */
  npy: (record) => {
    const size = record.length;
    const start = `{'descr': '<f4', 'fortran_order': False, 'shape': (${size}, ${size}), }`;
    const header = start.padEnd(Math.ceil((start.length + 11) / 64) * 64 - 11) + "\n";
    const head = new Uint8Array(10 + header.length);
    head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
    head.set(new TextEncoder().encode(header), 10);
    const values = new Float32Array(size * size);
    record.map[0].forEach((i, k) => {
      const j = record.map[1][k];
      values[i * size + j] = values[j * size + i] = record.map[2][k] / 1000;
    });
    return [head, values];
  },
};

/** A number of things in words; the noun takes an s. */
rnass.counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** Hand a file to the browser; nothing leaves the computer. */
rnass.download = (name, content) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(Array.isArray(content) ? content : [content]));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

rnass.copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // a page from disk may not have that permission
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
};

/** An element with attributes, event listeners (on...) and children. */
rnass.element = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
};

rnass.svg = (name, attributes = {}, text = null) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== null) node.textContent = text;
  return node;
};

/** A colour between stops [share, [r, g, b]]. */
rnass.scale = (stops) => (value) => {
  const at = Math.min(Math.max(value, 0), 1);
  const k = Math.max(1, stops.findIndex(([share]) => share >= at));
  const [low, first] = stops[k - 1];
  const [high, second] = stops[k];
  const t = (at - low) / (high - low);
  return `rgb(${first.map((channel, c) => Math.round(channel + t * (second[c] - channel))).join(",")})`;
};

rnass.NESTED = rnass.scale([[0, [126, 184, 218]], [0.5, [24, 100, 170]], [1, [8, 48, 107]]]);
rnass.KNOTTED = rnass.scale([[0, [253, 154, 78]], [0.5, [217, 72, 1]], [1, [127, 39, 4]]]);
rnass.CONFIDENCE = rnass.scale([[0, [255, 255, 217]], [0.25, [199, 233, 180]], [0.5, [65, 182, 196]], [0.75, [34, 94, 168]], [1, [8, 29, 88]]]);

rnass.legend = (label, scale) => {
  const stops = [0, 0.25, 0.5, 0.75, 1].map((share) => scale(share)).join(",");
  const bar = rnass.element("span", { class: "bar" });
  bar.style.background = `linear-gradient(to right, ${stops})`;
  return rnass.element("span", { class: "legend" }, "0", bar, `1 ${label}`);
};
