"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const items = data.items;
const element = name => document.getElementById(name);

// What the browser keeps: of each question by itself, so that two windows lose nothing to each other, a verdict with
// the hash of what it was given on.
const place = id => `${data.key} ${id}`;
const kept = {};
const recall = () => {
  for (const { id } of items)
    try { kept[id] = JSON.parse(localStorage.getItem(place(id))) ?? kept[id]; } catch { /* nothing is kept of it */ }
};
const trouble = text => { element("trouble").hidden = false; element("trouble").textContent = text; };
const keep = id => {
  try { localStorage.setItem(place(id), JSON.stringify(kept[id])); }
  catch { trouble("This browser keeps nothing for this page: save the verdicts before you leave it."); }
};
recall();

// A verdict on what is shown now: given here, or stored before the page was made and not taken back here.
const verdictOn = item => {
  const own = kept[item.id];
  if (own && own.hash === item.hash) return own.verdict ? own : null;
  return item.said ?? null;
};
// A verdict on the question as it was before it changed.
const before = item => {
  if (verdictOn(item)) return null;
  const own = kept[item.id];
  if (own && own.hash !== item.hash && own.verdict) return own;
  return item.before ?? null;
};
const words = said => {
  const reason = said.reason ? `: ${data.reasons[said.reason - 1]}` : "";
  return said.verdict === "accept" ? "accepted" : `rejected${reason}`;
};

let at = Math.max(0, items.findIndex(item => !verdictOn(item)));

const show = () => {
  element("none").hidden = items.length > 0;
  element("shown").hidden = !items.length;
  const said = items.map(verdictOn);
  const done = said.filter(Boolean).length, rejected = said.filter(one => one?.verdict === "reject").length;
  element("bar").max = Math.max(1, items.length);
  element("bar").value = done;
  element("progress").textContent = `${done} of ${items.length} reviewed, ${rejected} rejected`;
  for (const button of document.querySelectorAll("button"))
    if (button.id !== "download") button.disabled = !items.length;
  if (!items.length) return;
  const item = items[at], own = said[at], old = before(item);
  element("place").textContent = `${at + 1} of ${items.length}`;
  element("task").textContent = `${item.task}, number ${item.number}`;
  element("where").textContent = item.where;
  element("question").textContent = item.question;
  element("answer").textContent = item.answer;
  element("images").replaceChildren(...item.images.map((path, number) => {
    const figure = document.createElement("figure"), image = document.createElement("img");
    const caption = document.createElement("figcaption");
    image.src = path;
    image.alt = caption.textContent = item.roles[number] ?? "";
    image.onerror = () => { caption.textContent += " (the picture is missing)"; };
    figure.append(image, caption);
    return figure;
  }));
  element("before").hidden = !old;
  if (old) element("before").textContent = `It has changed since it was ${words(old)}.`;
  element("verdict").textContent = own ? words(own) : "";
  element("verdict").dataset.verdict = own?.verdict ?? "";
  element("accept").ariaPressed = String(own?.verdict === "accept");
  element("reject").ariaPressed = String(own?.verdict === "reject");
  for (const button of element("reasons").children) {
    button.disabled = own?.verdict !== "reject";
    button.ariaPressed = String(own?.verdict === "reject" && String(own.reason) === button.dataset.reason);
  }
  // The next pictures are there when they are wanted.
  for (const path of items[at + 1]?.images ?? []) new Image().src = path;
};
const go = step => { at = Math.min(items.length - 1, Math.max(0, at + step)); show(); };
const say = (verdict, reason) => {
  const item = items[at];
  kept[item.id] = { hash: item.hash, verdict, reason };
  keep(item.id);
};
const actions = {
  a: () => { say("accept", null); go(1); },
  r: () => { say("reject", null); show(); },
  u: () => { say(null, null); show(); },
  n: () => {
    const open = place => !verdictOn(items[place]);
    const places = [...items.keys()];
    const found = [...places.slice(at + 1), ...places.slice(0, at + 1)].find(open);
    if (found !== undefined) at = found;
    show();
  },
  s: () => {
    const verdicts = items.flatMap(item => {
      const said = verdictOn(item);
      // What was stored before, and taken back here, is to be forgotten there too.
      if (!said && !item.said) return [];
      return [{ id: item.id, hash: item.hash, verdict: said?.verdict ?? "none", reason: said?.reason ?? null }];
    });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify({ format: data.format, verdicts }, null, 1)], { type: "application/json" }));
    link.download = "verdicts.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  },
  ArrowLeft: () => go(-1),
  ArrowRight: () => go(1),
};
// A reason belongs to a rejection: it says why the question on the screen was rejected, and goes on.
const because = number => {
  if (items.length && verdictOn(items[at])?.verdict === "reject" && data.reasons[number - 1]) { say("reject", number); go(1); }
};
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (action && (items.length || event.key === "s")) { event.preventDefault(); action(); }
  else if (/^[1-9]$/.test(event.key)) because(Number(event.key));
});
// What another window said meanwhile.
addEventListener("storage", () => { recall(); show(); });
const buttons = { back: "ArrowLeft", forward: "ArrowRight", accept: "a", reject: "r", next: "n", undo: "u", download: "s" };
for (const [name, key] of Object.entries(buttons)) element(name).onclick = () => actions[key]();
for (const button of element("reasons").children) button.onclick = () => because(Number(button.dataset.reason));
show();
