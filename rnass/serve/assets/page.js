"use strict";
// The page of `rnass serve`: sends RNAs, tells what is wrong with them beside the line, and follows jobs.

const at = (id) => document.getElementById(id);
const element = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
};

const EXAMPLE = `>tRNA-Phe yeast, PDB 1EHZ
GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA
>MMTV-frameshift pseudoknot
GGCGCAGUGGGCUAGCGCCACUCAAAAGGCCCAU
`;

/** The ids of this browser's jobs: a list for each folder of a server, for another one may answer here next time. */
const jobs = {
  list: "rnass-jobs",
  /** Ask the server for its limits, and take the list of its folder. */
  know: async () => {
    const limits = await (await fetch("/limits")).json();
    jobs.list = `rnass-jobs-${limits.folder}`;
    return limits;
  },
  ids: () => JSON.parse(localStorage.getItem(jobs.list) ?? "[]"),
  keep: (ids) => localStorage.setItem(jobs.list, JSON.stringify(ids)),
};

const showProblems = (problems, lines, others = 0) => {
  const items = problems.map(([message, line]) => {
    const item = element("li", {}, message);
    if (line) item.append(element("span", { class: "line" }, `${line}: ${lines[line - 1] ?? ""}`));
    return item;
  });
  at("problems").replaceChildren(element("ol", {}, ...items));
  if (others) {
    at("problems").append(element("button", { type: "button", id: "others", onclick: () => submit(true) }, "predict the other records"));
  }
  if (!problems.some(([, line]) => line)) return;
  const first = problems.find(([, line]) => line)[1];
  const start = lines.slice(0, first - 1).reduce((sum, line) => sum + line.length + 1, 0);
  at("fasta").focus();
  at("fasta").setSelectionRange(start, start + (lines[first - 1] ?? "").length);
};

const submit = async (skip) => {
  const fasta = at("fasta").value;
  at("problems").replaceChildren();
  at("predict").disabled = true;
  const options = Object.fromEntries(["baseline", "elements", "pseudoknots", "noncanonical"].map((name) => [name, at(name).checked]));
  try {
    const answer = await fetch("/jobs", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ fasta, ...options, alternatives: Number(at("alternatives").value), skip_bad: skip }),
    });
    const found = await answer.json();
    if (!answer.ok) {
      showProblems(found.problems, fasta.split(/\r\n|\r|\n/), found.others);
      return;
    }
    await jobs.know();
    jobs.keep([found.id, ...jobs.ids()]);
    await follow();
    at("jobs").firstElementChild?.scrollIntoView({ block: "nearest" });
  } catch {
    showProblems([["rnass serve does not answer; it may have been stopped", null]], []);
  } finally {
    at("predict").disabled = false;
  }
};

const remove = async ({ id, first }) => {
  if (!confirm(`Delete ${first} and its files?`)) return;
  await fetch(`/jobs/${id}`, { method: "DELETE" });
  jobs.keep(jobs.ids().filter((other) => other !== id));
  follow();
};

const count = (records) => `${records} record${records === 1 ? "" : "s"}`;

const shown = (job) => {
  const words = {
    queued: `waits, place ${job.place}`,
    running: `runs: ${job.finished} of ${count(job.records)}`,
    done: `done: ${count(job.predicted)}${job.failed ? `, ${job.failed} failed` : ""}`,
    failed: "stopped",
  }[job.state];
  const item = element("li", { "data-job": job.id, "data-state": job.state }, element("strong", {}, words));
  const others = job.records > 1 ? " and others" : "";
  item.append(element("p", { class: "message" }, `${job.first}${others}, ${new Date(1000 * job.created).toLocaleString()}`));
  if (job.state === "running") item.append(element("progress", { max: job.records, value: job.finished, "aria-label": "records finished" }));
  if (job.message) item.append(element("p", { class: "message" }, job.message));
  const links = element("div", {});
  if (job.report) {
    links.append(element("a", { href: `/jobs/${job.id}/report.html`, target: "_blank", rel: "noopener" }, "report"));
    links.append(element("a", { href: `/jobs/${job.id}/results.zip` }, "all files, zip"));
  }
  links.append(element("button", { type: "button", onclick: () => remove(job) }, job.state === "done" ? "delete" : "cancel and delete"));
  item.append(links);
  return item;
};

/** Show jobs anew where they changed: what has the focus keeps it, and a new state is told to screen readers. */
const show = (there) => {
  const old = new Map([...at("jobs").children].map((item) => [item.dataset.job, item]));
  const held = document.activeElement?.closest("#jobs li")?.dataset.job;
  const items = there.map((job) => {
    const [was, told] = [old.get(job.id), JSON.stringify(job)];
    if (was?.dataset.told === told) return was;
    const item = shown(job);
    item.dataset.told = told;
    if (was?.dataset.state !== job.state) at("told").textContent = `${job.first}: ${item.firstChild.textContent}`;
    return item;
  });
  if (items.length === old.size && items.every((item) => old.get(item.dataset.job) === item)) return;
  at("jobs").replaceChildren(...items);
  if (held) items.find((item) => item.dataset.job === held)?.querySelector("button").focus();
};

let timer = null;
const follow = async () => {
  clearTimeout(timer);
  let busy = false;
  try {
    await jobs.know();
    const found = await Promise.all(jobs.ids().map(async (id) => {
      const answer = await fetch(`/jobs/${id}`);
      return answer.ok ? answer.json() : { id, gone: true };
    }));
    jobs.keep(jobs.ids().filter((id) => !found.some((job) => job.id === id && job.gone)));
    const there = found.filter((job) => !job.gone);
    busy = there.some((job) => job.state === "queued" || job.state === "running");
    show(there);
  } catch {
    busy = true; // the server may come back
  }
  if (busy) timer = setTimeout(follow, 1000);
};

/** The text of a file, unpacked if it is gzip; throws if it is no text. */
const textOf = async (file) => {
  const [one, two] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const packed = one === 0x1f && two === 0x8b;
  const bytes = packed ? file.stream().pipeThrough(new DecompressionStream("gzip")) : file.stream();
  const text = new TextDecoder("utf-8", { fatal: true }).decode(await new Response(bytes).arrayBuffer());
  if (text.includes("\0")) throw new Error("binary");
  return text;
};

const take = async (file) => {
  at("problems").replaceChildren();
  try {
    at("fasta").value = await textOf(file);
  } catch {
    showProblems([[`${file.name}: no plain text; expected FASTA as text (UTF-8) or gzip, not a document of a word processor`, null]], []);
  }
};
at("predict").addEventListener("click", () => submit(false));
at("example").addEventListener("click", () => { at("fasta").value = EXAMPLE; });
at("file").addEventListener("change", (event) => { if (event.target.files[0]) take(event.target.files[0]); });
for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  at("fasta").addEventListener(name, (event) => {
    event.preventDefault();
    at("fasta").classList.toggle("over", over);
    if (name === "drop" && event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
}
jobs.know().then((limits) => {
  at("limits").textContent = `at most ${limits.records.toLocaleString("en")} records, ${limits.bases.toLocaleString("en")} bases`;
});
follow();
