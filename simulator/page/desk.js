// The page of the live agents. The server streams its state; this file keeps it, and draws the lists.

import { call, notify } from "./calls.js";
import { drawProfile, refreshLog } from "./log.js";
import { Pane } from "./pane.js";
import { openTransfer } from "./transfer.js";
import { clock, duration, element, lastLine, put, requesterLines, title } from "./words.js";

const NAME_KEY = "simulator.agent";
const MOST_PANES = 3;

const $ = (id) => document.getElementById(id);
const state = { chats: new Map(), available: true, loaded: false, agents: [], queues: [] };
const seen = new Map(); // chat id -> how many lines of the requester were on screen
let panes = []; // from left to right
let active = null; // the pane used last
let clockOffset = 0; // ms the server's clock is ahead
let speed = 1;
let heardAt = Date.now();

// ---- what the server says ----

const source = new EventSource("simulator/events");
source.onmessage = (event) => receive(JSON.parse(event.data));
source.onopen = () => notify("");
source.onerror = () => notify("No connection to the simulator. Trying again…");

function receive(snapshot) {
  heardAt = Date.now();
  clockOffset = Date.parse(snapshot.now) - heardAt;
  speed = snapshot.speed;
  Object.assign(state, { available: snapshot.available, agents: snapshot.agents, queues: snapshot.queues });
  if (!$("agent").value) $("agent").value = remembered() || snapshot.agent_name;
  for (const id of state.chats.keys()) if (!snapshot.ids.includes(id)) state.chats.delete(id);
  for (const chat of snapshot.chats) take(chat);
  state.loaded = true;
  for (const pane of panes.filter((one) => !state.chats.has(one.id))) desk.close(pane);
  drawProfile(snapshot.profile);
  refreshLog();
  draw();
}

function take(chat) {
  const before = state.chats.get(chat.id);
  state.chats.set(chat.id, chat);
  if (!state.loaded) seen.set(chat.id, requesterLines(chat));
  if (chat.state === "QUEUED" && before?.state !== "QUEUED" && state.loaded) put($("news"), `${title(chat)} is waiting`);
}

const now = () => heardAt + clockOffset + (Date.now() - heardAt) * speed;

// ---- panes ----

const desk = {
  chat: (id) => state.chats.get(id),
  agentName: () => $("agent").value.trim(),
  transfer: (id) => openTransfer(state.chats.get(id), state, load),
  close(pane) {
    panes = panes.filter((one) => one !== pane);
    if (active === pane) activate(panes.at(-1) ?? null);
    pane.leave();
    draw();
  },
};

function load(name) {
  return [...state.chats.values()].filter((chat) => chat.state === "LIVE" && chat.agent === name).length;
}

/** Show a chat, beside what is shown already; beyond three, what was used longest ago gives way. */
function show(id) {
  const pane = panes.find((one) => one.id === id) ?? open(id);
  activate(pane);
  pane.wantsFocus = true;
  draw();
  return pane;
}

function open(id) {
  if (panes.length >= MOST_PANES) desk.close([...panes].sort((one, other) => one.usedAt - other.usedAt)[0]);
  const pane = new Pane(id, desk);
  pane.node.addEventListener("focusin", () => activate(pane));
  panes.push(pane);
  $("panes").append(pane.node);
  return pane;
}

function activate(pane) {
  if (pane) pane.usedAt = performance.now();
  if (active === pane) return;
  active = pane;
  for (const one of panes) one.node.classList.toggle("active", one === pane);
  draw();
}

// ---- drawing ----

function draw() {
  const chats = [...state.chats.values()];
  const inState = (...states) => chats.filter((chat) => states.includes(chat.state));
  if (!document.hidden) for (const pane of panes) if (desk.chat(pane.id)) seen.set(pane.id, requesterLines(desk.chat(pane.id)));
  $("available").checked = state.available;
  put($("availability"), state.available ? "Available" : "Away");
  const waiting = inState("QUEUED");
  const live = inState("LIVE");
  drawList("waiting", waiting);
  drawList("live", live);
  drawList("other", inState("BOT", "CREATED").reverse());
  drawList("ended", inState("ENDED").reverse().slice(0, 30));
  drawPanes();
  const news = waiting.length + live.reduce((sum, one) => sum + unread(one), 0);
  const name = `${news ? `(${news}) ` : ""}Live agent desk`;
  if (document.title !== name) document.title = name;
  put($("now"), clock(now()));
}

function drawPanes() {
  for (const pane of panes) if (desk.chat(pane.id)) pane.draw(desk.chat(pane.id));
  $("panes").hidden = panes.length === 0;
  $("nothing").hidden = panes.length > 0;
  if (!panes.length) drawNothing();
}

function drawNothing() {
  put($("nothing-title"), state.chats.size ? "No conversation chosen" : "All quiet");
  const hint = "Choose a conversation on the left, or accept whoever is waiting.";
  const quiet = "When somebody asks for a live agent, they appear on the left.";
  const away = "You are away: whoever asks for a live agent is told that nobody is available.";
  put($("nothing-text"), !state.available ? away : state.chats.size ? hint : quiet);
}

function drawList(name, chats) {
  const list = $(name);
  const cards = new Map([...list.children].map((card) => [card.dataset.id, card]));
  for (const [id, card] of cards) if (!chats.some((chat) => chat.id === id)) card.remove();
  chats.forEach((chat, place) => {
    const card = cards.get(chat.id) ?? newCard(chat, name === "waiting");
    fillCard(card, chat);
    if (list.children[place] !== card) list.insertBefore(card, list.children[place] ?? null);
  });
  if ($(`${name}-count`)) put($(`${name}-count`), String(chats.length || ""));
  if ($(`${name}-empty`)) $(`${name}-empty`).hidden = chats.length > 0;
  if ($(`${name}-section`)) $(`${name}-section`).hidden = chats.length === 0;
}

function newCard(chat, canTake) {
  const card = element("li", "card new");
  card.dataset.id = chat.id;
  const button = element("button", "open");
  const top = element("span");
  top.append(element("b"), element("span", "unread"), element("time"));
  button.append(top, element("span", "line"));
  button.onclick = () => show(chat.id);
  card.append(button);
  if (canTake) {
    const accept = element("button", "take", "Accept");
    accept.setAttribute("aria-label", `Accept ${title(chat)}`);
    accept.onclick = () => show(chat.id).accept();
    card.append(accept);
  }
  return card;
}

function fillCard(card, chat) {
  card.classList.toggle("chosen", panes.some((pane) => pane.id === chat.id));
  card.querySelector(".open").setAttribute("aria-current", String(active?.id === chat.id));
  put(card.querySelector("b"), title(chat));
  const queue = state.queues.length > 1 && chat.state === "QUEUED" ? `${chat.queue} · ` : "";
  put(card.querySelector(".line"), `${queue}${lastLine(chat)}`);
  const news = chat.state === "LIVE" ? unread(chat) : 0;
  put(card.querySelector(".unread"), news ? `${news} new` : "");
  card.querySelector(".unread").hidden = !news;
  put(card.querySelector("time"), chat.state === "QUEUED" ? duration(Date.parse(chat.queued_at), now()) : "");
}

const unread = (chat) => requesterLines(chat) - (seen.get(chat.id) ?? 0);

// ---- the bar at the top ----

function remembered() {
  try { return localStorage.getItem(NAME_KEY); } catch { return null; }
}

function remember() {
  try { localStorage.setItem(NAME_KEY, desk.agentName()); } catch { /* private mode */ }
  for (const pane of panes) pane.fillQuickAnswers();
}

$("available").onchange = (event) => call("availability", { available: event.target.checked });
$("agent").onchange = remember;
$("agent").onfocus = () => $("agents").replaceChildren(...state.agents.map(({ name }) => Object.assign(element("option"), { value: name })));
for (const button of document.querySelectorAll("[data-advance]")) {
  button.onclick = () => call("clock", { advance: Number(button.dataset.advance) });
}
document.onvisibilitychange = draw;
setInterval(() => { if (state.loaded) draw(); }, 1000);
