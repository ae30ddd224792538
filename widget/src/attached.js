/** Files in a message, drawn: a picture, or a row to save it by. */

import { size } from './uploads.js';
import { escapeHtml, safeUrl } from './text.js';

/** @import { Attached, Message } from './wire.js' */
/** @import { Strings } from './strings.js' */

const SHEET = 'M6 3h8l5 5v13H6zM14 3v5h5';

/** @param {Message} message @param {Strings} strings @returns {string} HTML, empty where there is no file */
export function attachedHtml({ attached }, strings) {
  if (!attached?.length) return '';
  return `<div class="attached">${attached.map((file) => one(file, strings)).join('')}</div>`;
}

/**
 * A part that is a file of ours: as what is known of it by now.
 *
 * @param {Message} message @param {import('./wire.js').Part} part @param {Strings} strings
 */
export function fileHtml({ attached }, part, strings) {
  const file = attached?.find(({ id }) => id === part.file);
  // Until the server has it, only the part says whether it is a picture.
  const known = file?.size ? file : file && { ...file, picture: part.kind === 'image' };
  return known ? `<div class="attached">${one(known, strings)}</div>` : '';
}

/** @param {Attached} file @param {Strings} strings */
function one(file, strings) {
  const href = safeUrl(file.url);
  if (href === null) return `<span class="file gone">${inside(file, strings.fileGone)}</span>`;
  if (file.picture) return picture(file, href);
  return (
    `<a class="file" href="${escapeHtml(href)}" download="${escapeHtml(file.name)}" target="_blank" ` +
    `rel="noopener noreferrer">${inside(file, file.size ? size(file.size) : '')}</a>`
  );
}

/** Its room is kept while it loads. @param {Attached} file @param {string} href */
function picture({ name, width, height }, href) {
  const room = width && height ? ` width="${width}" height="${height}"` : '';
  return (
    `<a class="picture" href="${escapeHtml(href)}" target="_blank" rel="noopener noreferrer">` +
    `<img src="${escapeHtml(href)}" alt="${escapeHtml(name)}"${room}></a>`
  );
}

/** @param {Attached} file @param {string} about */
function inside({ name }, about) {
  return (
    `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${SHEET}"/></svg>` +
    `<span class="file-name">${escapeHtml(name)}</span> <span class="about">${escapeHtml(about)}</span>`
  );
}
