// What the page asks of the simulator, and where it says that something went wrong.

const notice = document.getElementById("notice");

export function notify(sentence) {
  notice.hidden = !sentence;
  if (notice.textContent !== sentence) notice.textContent = sentence;
}

/** POST to a control call; returns whether it was done, and shows why not. */
export async function call(path, body = {}) {
  return post(path, JSON.stringify(body), "application/json");
}

/** A call about one chat. */
export const about = (id, verb, body) => call(`chats/${id}/${verb}`, body);

/** Send a file into a chat. */
export function attach(id, file) {
  const name = encodeURIComponent(file.name);
  return post(`chats/${id}/attach?name=${name}`, file, file.type || "application/octet-stream");
}

/** GET from a control call; null if it did not work. */
export async function ask(path) {
  try {
    const response = await fetch(`simulator/${path}`);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

async function post(path, body, type) {
  notify("");
  try {
    const response = await fetch(`simulator/${path}`, { method: "POST", headers: { "Content-Type": type }, body });
    if (response.ok) return true;
    notify((await response.json()).error);
  } catch {
    notify("That did not reach the simulator.");
  }
  return false;
}
