/** What a live agent sends beyond plain text, drawn: links, pictures, cards, tables, HTML. */

import { fileHtml } from './attached.js';
import { link, rebuilt } from './markup.js';
import { escapeHtml, linkedHtml, safeUrl } from './text.js';
import { string } from './wire.js';

/** @import { Message, Part } from './wire.js' */
/** @import { Strings } from './strings.js' */

/** @typedef {(part: Part, strings: Strings) => string} Writer */

/** @type {Record<string, Writer>} */
const WRITERS = { text, image, link: singleLink, links, card, table, html };

/** @param {Message} message @param {Strings} strings @returns {string} HTML, empty where there is nothing rich */
export function partsHtml(message, strings) {
  const drawn = (message.parts ?? []).map((part) => fileHtml(message, part, strings) || (WRITERS[part.kind]?.(part, strings) ?? ''));
  const known = drawn.filter(Boolean);
  return known.length ? `<div class="parts">${known.join('')}</div>` : '';
}

/** @type {Writer} */
function text(part) {
  const said = string(part.text);
  return said ? `<p class="part">${linkedHtml(said)}</p>` : '';
}

/** @type {Writer} */
function image(part, strings) {
  const drawn = picture(part, strings.image);
  return drawn && link(part.src, drawn, 'picture');
}

/** @type {Writer} */
function singleLink(part) {
  return group(part, item(part));
}

/** @type {Writer} */
function links(part) {
  const items = list(part.links).map((each) => `<li>${item(each)}</li>`);
  return items.length ? group(part, `<ul class="links">${items.join('')}</ul>`) : '';
}

/** @type {Writer} */
function card(part, strings) {
  const said = [part.subtitle, part.text].map(string).filter(Boolean);
  const title = escaped(part.title);
  const drawn = [
    part.image ? picture(part.image, '') : '',
    title && `<strong class="card-title">${safeUrl(part.href) ? link(part.href, title) : title}</strong>`,
    ...said.map((line) => `<p>${linkedHtml(/** @type {string} */ (line))}</p>`),
    fields(part),
    title ? '' : link(part.href, escapeHtml(strings.openLink)),
  ];
  return `<div class="card">${drawn.join('')}</div>`;
}

/** @param {Part} part */
function fields(part) {
  const rows = list(part.fields).map(
    ({ label, value }) => `<dt>${escaped(label)}</dt><dd>${escaped(value)}</dd>`,
  );
  return rows.length ? `<dl>${rows.join('')}</dl>` : '';
}

/** @type {Writer} */
function table(part, strings) {
  const columns = cells(part.columns, 'th scope="col"', 'th');
  const rows = (Array.isArray(part.rows) ? part.rows : []).map((row) => `<tr>${cells(row, 'td', 'td')}</tr>`);
  const head = columns && `<thead><tr>${columns}</tr></thead>`;
  // What scrolls must be reachable with the keyboard.
  return (
    `<div class="table" role="region" tabindex="0" aria-label="${escapeHtml(strings.table)}">` +
    `<table>${head}<tbody>${rows.join('')}</tbody></table></div>`
  );
}

/** @type {Writer} */
function html(part) {
  const source = string(part.html);
  return source ? `<div class="part markup">${rebuilt(source)}</div>` : '';
}

/** @param {any} row @param {string} tag @param {string} end */
function cells(row, tag, end) {
  return (Array.isArray(row) ? row : []).map((cell) => `<${tag}>${escaped(cell)}</${end}>`).join('');
}

/** @param {any} about @param {string} fallback  where it has no description */
function picture(about, fallback) {
  const src = safeUrl(about?.src, { image: true });
  if (src === null) return '';
  const alt = string(about.alt) ?? fallback;
  return `<img src="${escapeHtml(src)}" alt="${escapeHtml(alt)}" referrerpolicy="no-referrer">`;
}

/** @param {any} about */
function item(about) {
  const named = link(about?.href, escaped(about?.title) || escaped(about?.href));
  const description = escaped(about?.description);
  return `<span class="link">${named}</span>` + (description && `<span class="about">${description}</span>`);
}

/** @param {Part} part @param {string} inside */
function group({ header }, inside) {
  const said = escaped(header);
  return `<div class="part">${said && `<p class="heading">${said}</p>`}${inside}</div>`;
}

/** @param {unknown} value */
function escaped(value) {
  return typeof value === 'string' ? escapeHtml(value) : '';
}

/** @param {unknown} value @returns {any[]} */
function list(value) {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : [];
}
