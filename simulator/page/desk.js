// The page of the live agent. The server streams its state; this file draws it and sends what the agent does.
// Everything a person wrote goes through textContent, never through HTML.

const TYPING_EVERY = 3000; // ms between two "typing" calls
const TYPING_ENDS = 4000; // ms without a key until "typing" is over
const NAME_KEY = "simulator.agent";

const $ = (id) => document.getElementById(id);
const state = { chats: new Map(), available: true, loaded: false };
const seen = new Map(); // chat id -> how many lines of the requester were on screen
const drafts = new Map(); // chat id -> answer not sent yet
let chosen = null; // chat id
let focusOn = null; // chat id whose answer box gets the focus once it is there
let clockOffset = 0; // ms the server's clock is ahead

// ---- what the server says ----

const source = new EventSource("simulator/events");
source.onmessage = (event) => receive(JSON.parse(event.data));
source.onopen = () => notify("");
source.onerror = () => notify("No connection to the simulator. Trying again…");

function receive(snapshot) {
  clockOffset = Date.parse(snapshot.now) - Date.now();
  state.available = snapshot.available;
  if (!$("agent").value) $("agent").value = remembered() || snapshot.agent_name;
  for (const id of state.chats.keys()) if (!snapshot.ids.includes(id)) state.chats.delete(id);
  for (const chat of snapshot.chats) take(chat);
  state.loaded = true;
  if (!state.chats.has(chosen)) choose(null);
  draw();
}

function take(chat) {
  const before = state.chats.get(chat.id);
  state.chats.set(chat.id, chat);
  if (!state.loaded) seen.set(chat.id, requesterLines(chat));
  if (chat.state === "QUEUED" && before?.state !== "QUEUED" && state.loaded) say(`${title(chat)} is waiting`);
}

// ---- what the agent does ----

async function call(path, body) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  notify("");
  try {
    const response = await fetch(`simulator/${path}`, options);
    if (response.ok) return true;
    notify((await response.json()).error);
  } catch {
    notify("That did not reach the simulator.");
  }
  return false;
}

const about = (id, verb, body = {}) => call(`chats/${id}/${verb}`, body);

function accept(id) {
  choose(id);
  focusOn = id;
  draw();
  about(id, "accept", { agent: $("agent").value });
}

function end() {
  $("who").focus(); // the button is about to go
  about(chosen, "end");
}

async function send(event) {
  event?.preventDefault();
  const box = $("text");
  const text = box.value;
  const id = chosen;
  if (!text.trim() || !id) return;
  box.value = "";
  drafts.delete(id);
  typing.forget();
  if (!(await about(id, "say", { text }))) restore(id, text);
}

function restore(id, text) {
  drafts.set(id, text);
  if (chosen === id && !$("text").value) $("text").value = text;
}

const typing = {
  id: null,
  told: 0,
  timer: 0,
  key() {
    if (!$("text").value) return typing.stop();
    if (typing.id !== chosen || Date.now() - typing.told > TYPING_EVERY) {
      typing.id = chosen;
      typing.told = Date.now();
      about(chosen, "typing", { on: true });
    }
    clearTimeout(typing.timer);
    typing.timer = setTimeout(typing.stop, TYPING_ENDS);
  },
  stop() {
    const id = typing.id;
    typing.forget();
    if (id && state.chats.get(id)?.state === "LIVE") about(id, "typing", { on: false });
  },
  forget() {
    clearTimeout(typing.timer);
    typing.id = null;
    typing.told = 0;
  },
};

function choose(id) {
  if (chosen === id) return;
  if (chosen) drafts.set(chosen, $("text").value);
  typing.stop();
  chosen = id;
  $("text").value = drafts.get(id) ?? "";
  $("log").replaceChildren();
  $("details").open = false;
}

// ---- drawing ----

function draw() {
  const chats = [...state.chats.values()];
  const inState = (...states) => chats.filter((chat) => states.includes(chat.state));
  const chat = state.chats.get(chosen);
  if (chat && !document.hidden) seen.set(chat.id, requesterLines(chat));
  $("available").checked = state.available;
  $("availability").textContent = state.available ? "Available" : "Away";
  const waiting = inState("QUEUED");
  const live = inState("LIVE");
  drawList("waiting", waiting);
  drawList("live", live);
  drawList("other", inState("BOT", "CREATED").reverse());
  drawList("ended", inState("ENDED").reverse().slice(0, 30));
  drawConversation(chat);
  const news = waiting.length + live.reduce((sum, one) => sum + unread(one), 0);
  document.title = `${news ? `(${news}) ` : ""}Live agent desk`;
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
  if ($(`${name}-count`)) $(`${name}-count`).textContent = chats.length || "";
  if ($(`${name}-empty`)) $(`${name}-empty`).hidden = chats.length > 0;
  if ($(`${name}-section`)) $(`${name}-section`).hidden = chats.length === 0;
}

function newCard(chat, canTake) {
  const card = element("li", "card new");
  card.dataset.id = chat.id;
  const open = element("button", "open");
  const top = element("span");
  top.append(element("b"), element("span", "unread"), element("time"));
  open.append(top, element("span", "line"));
  open.onclick = () => {
    choose(chat.id);
    focusOn = chat.id;
    draw();
  };
  card.append(open);
  if (canTake) card.append(takeButton(chat));
  return card;
}

function takeButton(chat) {
  const button = element("button", "take", "Accept");
  button.setAttribute("aria-label", `Accept ${title(chat)}`);
  button.onclick = () => accept(chat.id);
  return button;
}

function fillCard(card, chat) {
  card.classList.toggle("chosen", chat.id === chosen);
  card.querySelector(".open").setAttribute("aria-current", String(chat.id === chosen));
  put(card.querySelector("b"), title(chat));
  put(card.querySelector(".line"), lastLine(chat));
  const news = chat.state === "LIVE" ? unread(chat) : 0;
  put(card.querySelector(".unread"), news ? `${news} new` : "");
  card.querySelector(".unread").hidden = !news;
  put(card.querySelector("time"), chat.state === "QUEUED" ? since(chat.queued_at) : "");
}

function drawConversation(chat) {
  $("conversation").hidden = !chat;
  $("nothing").hidden = Boolean(chat);
  if (!chat) return drawNothing();
  put($("who"), title(chat));
  put($("standing"), standing(chat));
  $("end").hidden = $("answer").hidden = chat.state !== "LIVE";
  $("accept").hidden = chat.state !== "QUEUED";
  $("text").setAttribute("aria-label", `Your answer to ${title(chat)}`);
  drawFacts(chat);
  const scroll = $("scroll");
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  drawHistory(chat);
  drawLog(chat);
  put($("typing"), chat.requester_typing ? `${title(chat)} is typing…` : "");
  if (atEnd || $("log").dataset.id !== chat.id) scroll.scrollTop = scroll.scrollHeight;
  $("log").dataset.id = chat.id;
  if (focusOn === chat.id && chat.state === "LIVE") {
    focusOn = null;
    $("text").focus();
  }
}

function drawNothing() {
  put($("nothing-title"), state.chats.size ? "No conversation chosen" : "All quiet");
  const hint = "Choose a conversation on the left, or accept whoever is waiting.";
  const quiet = "When somebody asks for a live agent, they appear on the left.";
  const away = "You are away: whoever asks for a live agent is told that nobody is available.";
  put($("nothing-text"), !state.available ? away : state.chats.size ? hint : quiet);
}

function drawFacts(chat) {
  const facts = { "User id": chat.user_id, "E-mail": chat.email, Interaction: chat.interaction_id, Conversation: chat.id };
  const rows = Object.entries({ ...facts, ...chat.context }).filter(([, value]) => value !== null);
  const key = JSON.stringify(rows);
  if ($("facts").dataset.key === key) return;
  $("facts").dataset.key = key;
  const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  $("facts").replaceChildren(...rows.flatMap(([name, value]) => [element("dt", "", name), element("dd", "", text(value))]));
}

function drawHistory(chat) {
  $("before").hidden = chat.history.length === 0;
  const key = `${chat.id} ${chat.history.length}`;
  if ($("history").dataset.key === key) return;
  $("history").dataset.key = key;
  $("history").replaceChildren(...chat.history.map(historyLine));
}

function historyLine(line) {
  const row = element("li", /^summary:/i.test(line.text) ? "summary" : "");
  const by = line.name || (line.is_bot ? "Bot" : "Requester");
  row.append(element("span", "by", by), element("span", "words", line.text));
  return row;
}

function drawLog(chat) {
  const log = $("log");
  if (log.dataset.id !== chat.id) {
    log.replaceChildren();
    log.parentElement.ariaLive = "off"; // another conversation is no news to a screen reader
    setTimeout(() => { log.parentElement.ariaLive = "polite"; });
  }
  chat.transcript.forEach((entry, place) => {
    const row = log.children[place] ?? log.appendChild(newLine(entry, chat));
    put(row.querySelector(".words"), entry.text);
    const meta = row.querySelector(".meta");
    if (meta) put(meta, metaOf(entry, chat));
    meta?.classList.toggle("failed", entry.status === "external_error");
  });
}

function newLine(entry) {
  const row = element("li", entry.sender);
  row.append(element("div", "words"));
  if (entry.sender !== "system") row.append(element("div", "meta"));
  return row;
}

function metaOf(entry, chat) {
  const names = { requester: title(chat), virtual_agent: "Virtual agent", agent: entry.name };
  const status = { sent_to_user: "✓✓ delivered", external_error: "Failed" }[entry.status];
  return [names[entry.sender], clock(entry.time), entry.updated && "Updated", !entry.typed && "chosen", status].filter(Boolean).join(" · ");
}

// ---- words ----

const title = (chat) => chat.email ?? chat.number ?? chat.user_id;
const requesterLines = (chat) => chat.transcript.filter((entry) => entry.sender === "requester").length;
const unread = (chat) => requesterLines(chat) - (seen.get(chat.id) ?? 0);
const clock = (time) => new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function lastLine(chat) {
  if (chat.requester_typing) return "is typing…";
  const asked = chat.transcript.findLast((entry) => entry.sender === "requester");
  const before = chat.history.findLast((line) => !line.is_bot);
  return (asked ?? before ?? chat.transcript.at(-1))?.text ?? "";
}

function since(time) {
  const seconds = Math.max(0, Math.floor((Date.now() + clockOffset - Date.parse(time)) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function standing(chat) {
  const reasons = { requester_ended: "the requester left", agent_ended: "closed at the desk", faulted: "client fault" };
  switch (chat.state) {
    case "QUEUED": return `Waiting since ${clock(chat.queued_at)}`;
    case "LIVE": return `With ${chat.agent} since ${clock(chat.accepted_at)}`;
    case "ENDED": return `Ended ${clock(chat.ended_at)}: ${reasons[chat.end_reason] ?? chat.end_reason}`;
    default: return "With the virtual agent; nobody has to answer";
  }
}

// ---- small things ----

function element(tag, name = "", text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function notify(sentence) {
  $("notice").hidden = !sentence;
  put($("notice"), sentence);
}

function say(sentence) {
  put($("news"), sentence);
}

function remembered() {
  try { return localStorage.getItem(NAME_KEY); } catch { return null; }
}

function remember() {
  try { localStorage.setItem(NAME_KEY, $("agent").value.trim()); } catch { /* private mode */ }
}

$("available").onchange = (event) => call("availability", { available: event.target.checked });
$("agent").onchange = remember;
$("accept").onclick = () => accept(chosen);
$("end").onclick = end;
$("answer").onsubmit = send;
$("text").oninput = typing.key;
$("text").onblur = typing.stop;
$("text").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
};
document.onvisibilitychange = draw;
setInterval(() => { if (state.loaded) draw(); }, 1000);
