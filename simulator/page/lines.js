// One line of a transcript: words, or a file.

import { element, metaOf, put, size, textOf } from "./words.js";

const SHOWN = ["image/png", "image/jpeg", "image/gif", "image/webp"];

export function newLine(entry) {
  const row = element("li", entry.sender);
  row.append(element("div", "words"));
  if (entry.file) row.append(fileOf(entry.file));
  if (entry.sender !== "system") row.append(element("div", "meta"));
  return row;
}

export function fillLine(row, entry, chat) {
  const words = row.querySelector(".words");
  put(words, textOf(entry, chat));
  words.hidden = !entry.text;
  const meta = row.querySelector(".meta");
  if (meta) put(meta, metaOf(entry, chat));
  meta?.classList.toggle("failed", entry.status === "external_error");
  if (entry.file) put(row.querySelector(".file-state"), stateOf(entry.file));
}

export function historyLine(line) {
  const row = element("li", /^summary:/i.test(line.text) ? "summary" : "");
  const by = line.name || (line.is_bot ? "Bot" : "Requester");
  row.append(element("span", "by", by), element("span", "words", line.text));
  return row;
}

function fileOf(file) {
  const box = element("div", "attachment");
  const url = `simulator/media/${file.path.split("/").at(-1)}`;
  const link = element("a", "", file.name);
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener";
  if (SHOWN.includes(file.content_type.toLowerCase())) {
    const image = element("img");
    image.src = url;
    image.alt = file.name;
    box.append(image);
  }
  box.append(link, element("span", "file-state"));
  return box;
}

function stateOf(file) {
  const state = { pending: ", being scanned", "not available": ", refused by the scanner" }[file.state] ?? "";
  return ` ${size(file.size)}${state}`;
}
