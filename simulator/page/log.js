// The log of everything that went over the wire, and the profile that shapes it.

import { ask, call } from "./calls.js";
import { element, put } from "./words.js";

const PAUSE = 400; // ms between two looks at the log
const MOST = 200; // rows
const $ = (id) => document.getElementById(id);
const open = new Set(); // rows whose body is shown
let waiting = null;

/** Look at the log anew, if it is shown. */
export function refreshLog() {
  if ($("log-panel").hidden || waiting) return;
  waiting = setTimeout(async () => {
    waiting = null;
    await draw();
  }, PAUSE);
}

export async function drawProfile(name) {
  const select = $("profile");
  if (!select.options.length) await fillProfiles();
  if (![...select.options].some((option) => option.value === name)) select.append(element("option", "", name));
  if (document.activeElement !== select) select.value = name;
}

async function fillProfiles() {
  const known = await ask("profile");
  if (!known || $("profile").options.length) return;
  for (const [name, does] of Object.entries(known.profiles)) {
    const option = element("option", "", name);
    option.title = does;
    $("profile").append(option);
  }
}

async function draw() {
  const [asked, told, written] = await Promise.all(["requests", "callbacks", "log"].map(ask));
  if (!asked || !told || !written) return;
  const rows = [
    ...asked.requests.map((one) => exchange(one, "→ in", one.action ?? (one.user_id ? "message" : one.path))),
    ...told.callbacks.map((one) => exchange(one, "← out", itemsOf(one.body))),
    ...written.log.map((one) => ({ time: one.time, direction: "system", user: one.user_id, what: one.message, answer: "" })),
  ];
  rows.sort((one, other) => Date.parse(other.time) - Date.parse(one.time));
  const filter = $("log-filter").value.trim().toLowerCase();
  const shown = rows.filter((row) => !filter || JSON.stringify(row).toLowerCase().includes(filter)).slice(0, MOST);
  $("log-rows").replaceChildren(...shown.flatMap(rowOf));
}

function exchange(one, direction, what) {
  const answer = [one.status ?? (one.seconds === null ? "…" : "no answer"), one.note, one.fault && one.fault !== one.note ? `[${one.fault}]` : ""];
  const bad = one.status === null ? one.seconds !== null : one.status >= 400;
  return { time: one.time, direction, user: one.user_id ?? "", what, answer: answer.filter(Boolean).join(" "), bad, body: one.body };
}

/** The kinds of the items in a callback, a text with its beginning. */
function itemsOf(body) {
  const items = Array.isArray(body?.body) ? body.body : [body?.body];
  const kinds = items.map((item) => item?.actionType ?? item?.uiType ?? "empty");
  const flags = ["agentChat", "completed", "takeControl"].filter((name) => body?.[name]);
  return [kinds.join(", ") || "empty", flags.length ? `(${flags.join(", ")})` : ""].filter(Boolean).join(" ");
}

function rowOf(row) {
  const key = `${row.time} ${row.direction} ${row.what}`;
  const line = element("tr", row.direction.split(" ").at(-1));
  line.classList.toggle("bad", Boolean(row.bad));
  const time = new Date(row.time).toLocaleTimeString([], { hour12: false });
  line.append(element("td", "", time), element("td", "", row.direction), element("td", "", row.user), whatOf(row, key), element("td", "", row.answer));
  if (!open.has(key)) return [line];
  const more = element("tr", "more");
  const cell = element("td");
  cell.colSpan = 5;
  cell.append(element("pre", "", JSON.stringify(row.body, null, 2)));
  more.append(cell);
  return [line, more];
}

function whatOf(row, key) {
  const cell = element("td");
  if (!row.body) {
    cell.append(row.what);
    return cell;
  }
  const button = element("button", "what", row.what);
  button.setAttribute("aria-expanded", String(open.has(key)));
  button.onclick = async () => {
    open.has(key) ? open.delete(key) : open.add(key);
    await draw();
    [...document.querySelectorAll("#log-rows .what")].find((one) => one.textContent === row.what)?.focus();
  };
  cell.append(button);
  return cell;
}

$("show-log").onclick = () => {
  const hidden = !$("log-panel").hidden;
  $("log-panel").hidden = hidden;
  $("show-log").setAttribute("aria-expanded", String(!hidden));
  put($("show-log"), hidden ? "Log" : "Hide log");
  if (!hidden) draw();
};
$("log-filter").oninput = draw;
$("profile").onchange = (event) => call("profile", { profile: event.target.value });
