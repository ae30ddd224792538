/**
 * HTML from the desk. The server has cleaned it down to a short list of tags; here that is done again, so that
 * nothing depends on which server this is: the source is parsed without being run, and written anew.
 */

import { escapeHtml, safeUrl } from './text.js';

const KEPT = new Set(
  ('p div section article br hr b strong i em u s code pre ul ol li blockquote h1 h2 h3 h4 h5 h6 ' +
    'table thead tbody tr th td a').split(' '),
);
const EMPTY = new Set(['br', 'hr']);
const SILENT = new Set(['script', 'style', 'title', 'template', 'noscript', 'iframe', 'object', 'svg', 'math']);
const DEEPEST = 60;

/** @param {string} source @returns {string} HTML that holds nothing but known tags, checked links and text */
export function rebuilt(source) {
  const parsed = new DOMParser().parseFromString(source, 'text/html');
  return content(parsed.body, 0);
}

/** @param {Node} node @param {number} depth @returns {string} */
function content(node, depth) {
  if (depth > DEEPEST) return '';
  return Array.from(node.childNodes, (child) => write(child, depth)).join('');
}

/** @param {Node} node @param {number} depth @returns {string} */
function write(node, depth) {
  if (node.nodeType === Node.TEXT_NODE) return escapeHtml(node.nodeValue ?? '');
  if (!(node instanceof Element)) return '';
  const tag = node.localName;
  if (SILENT.has(tag)) return '';
  const inside = content(node, depth + 1);
  if (!KEPT.has(tag)) return inside;
  if (EMPTY.has(tag)) return `<${tag}>`;
  if (tag === 'a') return link(node.getAttribute('href'), inside);
  return `<${tag}>${inside}</${tag}>`;
}

/** @param {unknown} address @param {string} inside  already safe @param {string} [look] */
export function link(address, inside, look = '') {
  const href = safeUrl(address);
  if (href === null) return inside;
  const named = look ? ` class="${look}"` : '';
  return `<a${named} href="${escapeHtml(href)}" target="_blank" rel="noopener noreferrer">${inside}</a>`;
}
