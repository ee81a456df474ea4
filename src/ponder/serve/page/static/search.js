// The search view: asks, shows each stage as it ends, moves hits to where they now stand.
// Whatever comes from files or models is put in as text, never as markup.
const $ = (id) => document.getElementById(id);
const form = $("ask"), text = $("text"), slider = $("budget"), status = $("status"), list = $("hits");
const stops = [...$("stops").options].map((o) => ({ tokens: +o.dataset.tokens, words: o.dataset.words }));
const still = matchMedia("(prefers-reduced-motion: reduce)");
const seconds = new Map(); // by budget, what searches took on this page
const MIB = 1024 * 1024, MOST = 32 * MIB; // what the server takes
const KINDS = { image: "Picture", page: "Page", video: "Clip", text: "Text" };
let given = null, asking = null, liked = [], disliked = [], last = "";

const budget = () => stops[+slider.value];
const number = (n) => n.toLocaleString("en");

function showBudget() {
  const { tokens, words } = budget(), took = seconds.get(tokens);
  const bold = document.createElement("b");
  bold.textContent = `${number(tokens)} tokens`;
  $("buys").replaceChildren(bold, `: ${words}${took ? `; about\u00a0${took.toFixed(1)}\u00a0s` : ""}`);
  slider.setAttribute("aria-valuetext", `${tokens} tokens`);
}

function say(words, bad = false) {
  status.textContent = words;
  status.classList.toggle("bad", bad);
}

// What a file is searched for as; browsers know no type of some clips.
function fieldOf(file) {
  if (file?.type.startsWith("image/")) return "image";
  if (file?.type.startsWith("video/") || /\.(mp4|m4v|mov|webm|mkv|avi)$/i.test(file?.name)) return "video";
  return file?.type === "application/pdf" ? "document" : "";
}

function give(file) {
  const field = fieldOf(file);
  if (!field) return say("Pictures, clips and PDFs can be searched for; anything else is added in the collection.", true);
  if (file.size > MOST) return say(`${file.name} has ${number(Math.ceil(file.size / MIB))} MB; up to ${MOST / MIB} can be searched for.`, true);
  const reader = new FileReader();
  reader.onload = () => {
    given = { field, data: reader.result };
    $("given-shown").replaceChildren(preview(field, file));
    $("given-paged").hidden = field !== "document";
    $("given-page").value = 1;
    $("given").hidden = false;
    ask();
  };
  reader.readAsDataURL(file);
}

function preview(field, file) {
  if (field === "document") {
    const name = document.createElement("span");
    name.className = "pdf";
    name.textContent = file.name || "PDF";
    return name;
  }
  const shown = document.createElement(field === "video" ? "video" : "img"), what = field === "video" ? "clip" : "picture";
  shown.src = URL.createObjectURL(file);
  shown[field === "video" ? "onloadeddata" : "onload"] = () => URL.revokeObjectURL(shown.src);
  if (field === "video") Object.assign(shown, { muted: true, preload: "auto" }).setAttribute("aria-label", `The ${what} that is searched for`);
  else shown.alt = `The ${what} that is searched for`;
  return shown;
}

function forget() {
  given = null;
  $("given-shown").replaceChildren();
  $("given").hidden = true;
  $("file").value = "";
}

const medium = () => (given ? { [given.field]: given.data, ...(given.field === "document" && { page: Math.max(1, +$("given-page").value || 1) }) } : {});

function filter() {
  const kind = form.elements.kind.value, more = $("filter").value.trim();
  return [kind && `kind = '${kind}'`, more && `(${more})`].filter(Boolean).join(" AND ") || null;
}

const asked = () => ({ k: +$("k").value, budget: budget().tokens, filter: filter(), allocate: $("allocate").value });

async function post(path, body, signal) {
  const response = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal });
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  const wait = response.headers.get("retry-after");
  throw new Error((told.message || `the server says ${response.status}`) + (wait ? `; try again in ${wait} s` : ""));
}

async function ask() {
  if (!text.value.trim() && !given) return text.focus();
  liked = [];
  disliked = [];
  if (last !== text.value.trim()) unmark(); // a mark is about these words and no others
  last = text.value.trim();
  await run(async (signal) => {
    const response = await post("/v1/search", { ...asked(), text: last, ...medium(), stream: true }, signal);
    for await (const [name, fields] of events(response.body)) {
      if (name === "error") throw new Error(fields.message);
      show(fields, name === "done" ? "" : fields.stage);
    }
  });
}

async function recommend() {
  await run(async (signal) => {
    const response = await post("/v1/recommend", { ...asked(), like: liked, dislike: disliked }, signal);
    show(await response.json(), "");
  });
}

async function run(work) {
  asking?.abort();
  const mine = (asking = new AbortController()), began = performance.now(), { tokens } = budget();
  say("Searching…");
  list.setAttribute("aria-busy", "true");
  try {
    await work(mine.signal);
    const took = (performance.now() - began) / 1000;
    seconds.set(tokens, took);
    showBudget();
    const shared = liked.length ? ` like ${liked.length} and unlike ${disliked.length}` : "";
    const count = list.children.length;
    say(`${count} ${count === 1 ? "hit" : "hits"}${shared} in ${took.toFixed(1)} s.`);
  } catch (error) {
    if (error.name !== "AbortError") say(error.message, true);
  } finally {
    if (asking === mine) list.removeAttribute("aria-busy");
  }
}

async function* events(body) {
  const decoder = new TextDecoder();
  let rest = "";
  for (const reader = body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    for (let end; (end = rest.indexOf("\n\n")) >= 0; rest = rest.slice(end + 2)) {
      const [name, data] = rest.slice(0, end).split("\n");
      yield [name.slice(7), JSON.parse(data.slice(6))];
    }
  }
}

function show(fields, stage) {
  const there = new Map([...list.children].map((card) => [card.dataset.id, card]));
  const before = new Map([...there].map(([id, card]) => [id, card.getBoundingClientRect()]));
  const cards = fields.hits.map((hit) => fill(there.get(hit.id) || make(hit), hit));
  const focused = document.activeElement?.closest?.(".hit")?.dataset.id;
  list.replaceChildren(...cards);
  let moved = 0;
  for (const card of cards) {
    const old = before.get(card.dataset.id);
    if (!old) continue;
    const now = card.getBoundingClientRect(), dx = old.left - now.left, dy = old.top - now.top;
    if (!dx && !dy) continue;
    moved += 1;
    if (!still.matches) card.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: "none" }], { duration: 350, easing: "ease-out" });
  }
  if (focused) list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  const { read, written } = fields.usage, spent = read + written;
  $("spent").hidden = false;
  $("meter").max = Math.max(1, fields.budget);
  $("meter").value = spent;
  $("spent-words").textContent = `${number(spent)} of ${number(fields.budget)} tokens`;
  if (stage) say(`${stage}: ${moved ? `${moved} hits moved` : "the order stands"}, ${number(spent)} tokens so far.`);
}

function make(hit) {
  const card = $("hit").content.firstElementChild.cloneNode(true), shown = card.querySelector(".shown");
  card.dataset.id = hit.id;
  const media = `/v1/items/${encodeURIComponent(hit.id)}`;
  if (hit.kind === "video") {
    const clip = document.createElement("video");
    const moment = hit.part.startsWith("t=") ? `#${hit.part}` : "";
    Object.assign(clip, { src: `${media}/clip${moment}`, poster: `${media}/media`, controls: true, preload: "none", muted: true });
    clip.setAttribute("aria-label", `Clip ${nameOf(hit)}`);
    shown.append(clip);
  } else if (hit.kind !== "text") {
    const image = document.createElement("img");
    Object.assign(image, { src: `${media}/media`, alt: hit.reasoning.slice(0, 140) || nameOf(hit), loading: "lazy" });
    shown.append(image);
  }
  const name = card.querySelector(".name");
  name.textContent = nameOf(hit);
  name.href = hit.kind === "video" ? `${media}/clip` : hit.kind === "text" ? media : `${media}/media?size=1600`;
  card.querySelector(".kind").textContent = KINDS[hit.kind] || hit.kind;
  return card;
}

function nameOf(hit) {
  return hit.uri.split("/").pop().split("#")[0];
}

function fill(card, hit) {
  card.classList.toggle("first", hit.rank === 1);
  card.querySelector(".rank").textContent = hit.rank;
  card.setAttribute("aria-label", `${hit.rank}: ${nameOf(hit)}`);
  const place = hit.uri.split("#")[1] || "", moment = /^t=([\d.]+),([\d.]+)$/.exec(hit.part) || /^t=([\d.]+),([\d.]+)$/.exec(place);
  card.querySelector(".place").textContent = moment ? `${(+moment[1]).toFixed(1)}–${(+moment[2]).toFixed(1)} s` : place.replace("page=", "page ");
  card.querySelector(".passage").textContent = hit.passage;
  // Only what the passage does not say already.
  card.querySelector(".why").textContent = hit.reasoning.startsWith(hit.passage) ? hit.reasoning.slice(hit.passage.length).trim() : hit.reasoning;
  const ranks = hit.stages.map((stage) => stage.rank), up = ranks[0] - ranks.at(-1), moved = card.querySelector(".moved");
  moved.textContent = up > 0 ? `▲ up ${up}` : up < 0 ? `▼ down ${-up}` : "";
  moved.className = `moved ${up > 0 ? "up" : up < 0 ? "down" : ""}`;
  card.querySelector("tbody").replaceChildren(...hit.stages.map(row));
  return card;
}

function row(stage) {
  const line = document.createElement("tr"), head = document.createElement("th");
  head.scope = "row";
  head.textContent = stage.name;
  line.append(head, ...[stage.rank, stage.score === null ? "–" : stage.score.toFixed(3), stage.note || ""].map((value) => {
    const cell = document.createElement("td");
    cell.textContent = value;
    return cell;
  }));
  return line;
}

async function act(card, what) {
  const button = card.querySelector(`[data-act="${what}"]`), id = card.dataset.id;
  if (what === "explain") {
    const table = card.querySelector(".stages");
    table.hidden = !table.hidden;
    card.classList.toggle("open", !table.hidden);
    button.setAttribute("aria-expanded", String(!table.hidden));
  } else if (what === "like" || what === "dislike") {
    if (what === "dislike" && !liked.length) return say("First say what you want more of.", true);
    const [to, from] = what === "like" ? ["liked", "disliked"] : ["disliked", "liked"];
    const sets = { liked: new Set(liked), disliked: new Set(disliked) };
    sets[to].add(id);
    sets[from].delete(id);
    [liked, disliked] = [[...sets.liked], [...sets.disliked]];
    await recommend();
  } else if (!last) {
    say("Hits of a search by words can be marked.", true);
  } else {
    const on = button.getAttribute("aria-pressed") !== "true";
    try {
      await post("/page/marks", { text: last, id, mark: on ? what : "" });
    } catch (error) {
      return say(error.message, true);
    }
    for (const each of ["right", "wrong"]) card.querySelector(`[data-act="${each}"]`).setAttribute("aria-pressed", String(on && each === what));
    say(on ? `Marked ${what}.` : "Mark taken back.");
  }
}

function unmark() {
  for (const pressed of list.querySelectorAll('[aria-pressed="true"]')) pressed.setAttribute("aria-pressed", "false");
}

function step(by) {
  const cards = [...list.children], at = cards.indexOf(document.activeElement?.closest?.(".hit"));
  const next = cards[Math.min(cards.length - 1, Math.max(0, at + by))];
  next?.focus();
}

form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
slider.addEventListener("input", showBudget);
slider.addEventListener("change", () => (liked.length ? recommend() : ask()));
for (const name of ["kind"]) form.addEventListener("change", (event) => { if (event.target.name === name && list.children.length) (liked.length ? recommend() : ask()); });
$("file").addEventListener("change", (event) => give(event.target.files[0]));
$("given-page").addEventListener("change", ask);
$("given-drop").addEventListener("click", () => { forget(); text.focus(); });
list.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button) act(button.closest(".hit"), button.dataset.act);
});
const drop = $("drop");
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop") give(event.dataTransfer.files[0]);
  });
}
document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files][0];
  if (file) { event.preventDefault(); give(file); }
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input:not([type=range]):not([type=radio]), select, textarea");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && typing) return event.target.blur();
  if (typing) return;
  const card = document.activeElement?.closest?.(".hit");
  const keys = { "/": () => text.focus(), j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1), "?": () => $("keys").showModal(),
    "[": () => nudge(-1), "]": () => nudge(1), e: () => card && act(card, "explain"), m: () => card && act(card, "like"), r: () => card && act(card, "right"), w: () => card && act(card, "wrong"),
    Enter: () => document.activeElement === card && card?.querySelector(".name").click() };
  const arrows = event.key.startsWith("Arrow") && (event.target === slider || event.target.type === "radio" || event.target.tagName === "VIDEO");
  if (!keys[event.key] || arrows || (event.key === "Enter" && document.activeElement !== card)) return;
  event.preventDefault();
  keys[event.key]();
});
function nudge(by) {
  slider.value = +slider.value + by;
  showBudget();
  slider.dispatchEvent(new Event("change"));
}
showBudget();
