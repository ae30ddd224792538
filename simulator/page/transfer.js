// The dialog that sends a chat to another live agent or another queue.

import { about } from "./calls.js";
import { element, title } from "./words.js";

const dialog = document.getElementById("transfer");
const form = dialog.querySelector("form");

/** Ask where to; `floor` has the agents and queues of now, `busy(name)` how many chats an agent has. */
export function openTransfer(chat, floor, busy) {
  document.getElementById("transfer-title").textContent = `Transfer ${title(chat)}`;
  const agents = floor.agents.filter((agent) => agent.name !== chat.agent);
  fill("agents", agents.map((agent) => choice("agent", agent.name, agentNote(agent, busy(agent.name)), agent.presence === "Offline")));
  fill("queues", floor.queues.map((queue) => choice("queue", queue.name, queueNote(queue), !queue.is_staffed)));
  dialog.returnValue = "";
  dialog.onclose = () => send(chat.id);
  dialog.showModal();
}

function send(id) {
  const chosen = new FormData(form).get("target");
  if (dialog.returnValue !== "transfer" || !chosen) return;
  const [kind, name] = JSON.parse(chosen);
  about(id, "transfer", { [kind]: name });
}

function fill(name, choices) {
  const nobody = element("p", "empty", "Nobody else is there.");
  document.getElementById(`transfer-${name}`).replaceChildren(...(choices.length ? choices : [nobody]));
}

function choice(kind, name, note, disabled) {
  const label = element("label", "choice");
  const radio = element("input");
  radio.type = "radio";
  radio.name = "target";
  radio.value = JSON.stringify([kind, name]);
  radio.disabled = disabled;
  label.append(radio, element("b", "", name), element("span", "", note));
  return label;
}

function agentNote(agent, chats) {
  const most = agent.capacity ? ` of ${agent.capacity}` : "";
  return `${agent.presence}, ${chats}${most} ${chats === 1 && !most ? "chat" : "chats"}`;
}

const queueNote = (queue) => (!queue.is_open ? "closed" : queue.is_staffed ? "open" : "open, nobody available");
