// How things are worded and written into the page. What a person wrote only ever goes through textContent.

export const title = (chat) => chat.email ?? chat.number ?? chat.user_id;
export const requesterLines = (chat) => chat.transcript.filter((entry) => entry.sender === "requester").length;
export const clock = (time) => new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

const REASONS = {
  requester_ended: "the requester left",
  agent_ended: "closed at the desk",
  faulted: "client fault",
  abandoned: "a callback failed",
  replaced: "begun anew",
  nobody_available: "nobody was available",
  requester_idle: "the requester was silent too long",
  queue_timeout: "nobody came in time",
  bot_idle: "silent too long",
  gave_up: "the bot gave up",
  cannot_continue: "the bot could not go on",
};

export function element(tag, name = "", text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Minutes and seconds between two times, in milliseconds since 1970. */
export function duration(from, to) {
  const seconds = Math.max(0, Math.floor((to - from) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function lastLine(chat) {
  if (chat.requester_typing) return "is typing…";
  const asked = chat.transcript.findLast((entry) => entry.sender === "requester");
  const before = chat.history.findLast((line) => !line.is_bot);
  const line = asked ?? before ?? chat.transcript.at(-1);
  return line?.file ? line.file.name : line ? textOf(line, chat) : "";
}

/** What a line says. A chosen option is sent as its value, which means nothing to people: "title (value)". */
export function textOf(entry, chat) {
  if (entry.typed !== false) return entry.text;
  const before = chat.transcript.slice(0, chat.transcript.findIndex((line) => line.id === entry.id));
  const options = optionsOf(before.findLast((line) => optionsOf(line.item).length)?.item);
  const known = new Map(options.map((option) => [String(option.value ?? option.label), option.label]));
  const named = (value) => (known.get(value) ?? value) === value ? value : `${known.get(value)} (${value})`;
  return known.has(entry.text) ? named(entry.text) : entry.text.split(",").map(named).join(", ");
}

function optionsOf(item) {
  return item?.options ?? item?.content?.options ?? [];
}

export function standing(chat) {
  switch (chat.state) {
    case "QUEUED": return waiting(chat);
    case "LIVE": return `With ${chat.agent} since ${clock(chat.accepted_at)}, ${chat.queue}`;
    case "ENDED": return `Ended ${clock(chat.ended_at)}: ${REASONS[chat.end_reason] ?? chat.end_reason}`;
    default: return "With the virtual agent; nobody has to answer";
  }
}

function waiting(chat) {
  const offer = chat.transfer;
  if (offer) return `${offer.from_agent} offers this chat to ${offer.to_agent ?? offer.to_queue}`;
  return `Waiting in ${chat.queue} since ${clock(chat.queued_at)}`;
}

export function size(bytes) {
  return bytes < 1024 ? `${bytes} bytes` : bytes < 1048576 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

export function metaOf(entry, chat) {
  const names = { requester: title(chat), virtual_agent: "Virtual agent", agent: entry.name };
  const state = { sent_to_user: "✓✓ delivered", external_error: "Failed" }[entry.status];
  const sent = entry.sender === "agent" && entry.posted ? "✓ sent" : "";
  return [names[entry.sender], clock(entry.time), entry.updated && "Updated", entry.typed === false && "chosen", state ?? sent].filter(Boolean).join(" · ");
}
