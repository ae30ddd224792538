/** Text and addresses from outside, made safe to hand to deep-chat, which renders Markdown. */

const PUNCTUATION = /[!-/:-@[-`{-~]/g;
const BARE_LINK = /https?:\/\/[^\s<>"]+/g;
const LABELLED_LINK = /\[([^\]\n]+)\]\(((?:https?:\/\/|mailto:)[^\s()<>]+)\)|https?:\/\/[^\s<>"]+/g;

/** @param {string} text */
export function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/**
 * Markdown that renders as exactly this text, with its web addresses as links.
 *
 * What a person writes is shown as written; `labelled` also lets `[label](https://…)` be a link,
 * which is how a server names a file to a client that cannot draw one.
 *
 * @param {string} text
 * @param {{labelled?: boolean}} [options]
 */
export function literal(text, { labelled = false } = {}) {
  let markdown = '';
  let done = 0;
  for (const match of text.matchAll(labelled ? LABELLED_LINK : BARE_LINK)) {
    const [whole, label, address] = match;
    const href = address ?? trimLink(whole);
    markdown += escapeMarkdown(text.slice(done, match.index)) + link(label ?? href, href);
    done = match.index + (address ? whole.length : href.length);
  }
  return markdown + escapeMarkdown(text.slice(done));
}

/**
 * HTML that shows exactly this text, with its web addresses as links.
 *
 * @param {string} text
 */
export function linkedHtml(text) {
  let html = '';
  let done = 0;
  for (const { 0: whole, index } of text.matchAll(BARE_LINK)) {
    const href = escapeHtml(trimLink(whole));
    html += escapeHtml(text.slice(done, index));
    html += `<a href="${href}" target="_blank" rel="noopener noreferrer">${href}</a>`;
    done = index + trimLink(whole).length;
  }
  return (html + escapeHtml(text.slice(done))).replace(/\n/g, '<br>');
}

/**
 * The assistant's Markdown, with bare web addresses made links (deep-chat's renderer leaves them).
 *
 * @param {string} text
 */
export function linkified(text) {
  const code = /(```[\s\S]*?```|`[^`\n]*`)/;
  return text.split(code).map((part) => (code.test(part) ? part : linkifiedProse(part))).join('');
}

/** @param {string} text */
function linkifiedProse(text) {
  return text.replace(/(^|[\s(])(https?:\/\/[^\s<>"]+)/g, (_, before, found) => {
    const href = trimLink(found);
    return `${before}<${href}>${found.slice(href.length)}`;
  });
}

/**
 * The address if a browser may follow it from a chat, else null.
 *
 * @param {unknown} address
 * @param {{image?: boolean, base?: string}} [options]
 */
export function safeUrl(address, { image = false, base = document.baseURI } = {}) {
  if (typeof address !== 'string' || !address) return null;
  try {
    const url = new URL(address, base);
    if (['http:', 'https:'].includes(url.protocol)) return url.href;
    if (url.protocol === 'mailto:' && !image) return url.href;
    return image && /^data:image\//i.test(address) ? address : null;
  } catch {
    return null;
  }
}

/** @param {string} label @param {string} href */
function link(label, href) {
  return `[${escapeMarkdown(label)}](<${href}>)`;
}

/** @param {string} text */
function escapeMarkdown(text) {
  // Runs of spaces would collapse, and four at the start of a line would be a code block.
  return text
    .replace(PUNCTUATION, '\\$&')
    .replace(/^[ \t]+| {2,}|\t/gm, (run) => run.replace(/\t/g, '    ').replace(/ /g, '\u00a0'));
}

/** A sentence's own punctuation is no part of the address at its end. @param {string} found */
function trimLink(found) {
  const href = found.replace(/[.,;:!?'\]]+$/, '');
  return href.includes('(') ? href : href.replace(/\)[.,;:!?)]*$/, '');
}
