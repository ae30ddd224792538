// Lets the live agent send an example of each kind of message that an instance can send.

import { about, ask } from "./calls.js";
import { element } from "./words.js";

const STREAM = "Stream";
const PIECES = ["Looking into your request", "Spam is unwanted mail. ", "Do not answer it."];

/** Fill a pane's menu of examples; what is chosen is sent into the chat with this id. */
export async function offerExamples(select, id) {
  select.replaceChildren(element("option", "", "Examples…"));
  select.onchange = () => send(select, id);
  const { items = [] } = (await ask("items")) ?? {};
  select.append(...[...items, STREAM].map((name) => element("option", "", name)));
}

function send(select, id) {
  const example = select.selectedIndex > 0 && select.value;
  select.selectedIndex = 0;
  if (example === STREAM) about(id, "stream", { pieces: PIECES });
  else if (example) about(id, "items", { example });
}
