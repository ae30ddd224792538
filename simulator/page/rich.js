// Lets the live agent send an example of each kind of message that an instance can send.

const form = document.getElementById("answer");
const log = document.getElementById("log");
const select = document.createElement("select");
select.id = "example";
select.setAttribute("aria-label", "Send an example");
select.append(new Option("Examples…", ""));
form.append(select);

const call = (path, body) =>
  fetch(`simulator/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

const { items } = await (await fetch("simulator/items")).json();
for (const name of items) select.append(new Option(name, name));
select.append(new Option("Stream", "Stream"));

select.onchange = () => {
  const example = select.value;
  select.value = "";
  if (!example || !log.dataset.id) return;
  const pieces = ["Looking into your request", "Spam is unwanted mail. ", "Do not answer it."];
  if (example === "Stream") call(`chats/${log.dataset.id}/stream`, { pieces });
  else call(`chats/${log.dataset.id}/items`, { example });
};
