/** How a message of ours looks as one of deep-chat's, and what to mend once deep-chat has drawn it. */

import { attachedHtml } from './attached.js';
import { partsHtml } from './parts.js';
import { controls } from './questions.js';
import { fill } from './strings.js';
import { escapeHtml, linkified, literal, safeUrl } from './text.js';
import { isEndCommand } from './wire.js';

/** @import { Message } from './wire.js' */
/** @import { Strings } from './strings.js' */

const ROLE_CLASS = 'deep-chat-outer-container-role-';

/**
 * @typedef {{role: string, text?: string, html?: string, files?: Message['files']}} Body
 * @typedef {{id: string, body: Body}} Drawing
 */

/**
 * @param {Message[]} messages
 * @param {(message: Message) => string} roleOf
 * @param {Strings} strings
 * @param {boolean} takesFiles  whether the requester can send files
 * @returns {Drawing[]}
 */
export function drawings(messages, roleOf, strings, takesFiles) {
  const lastOwn = messages.findLast((message) => message.from === 'me' && !isEndCommand(message));
  const answered = new Set(messages.map(({ answers }) => answers));
  const offering = messages.findLast(({ replies, question }) => replies || question);
  return messages.map((message) => ({
    id: message.id,
    body: {
      role: isEndCommand(message) ? 'system' : roleOf(message),
      text: text(message, strings),
      html:
        message.from === 'me'
          ? own(message, message === lastOwn, strings)
          : rich(message, message === offering && !answered.has(message.id), strings, takesFiles),
      files: message.files?.map((file) => ({ ...file, name: file.name || strings.image })),
    },
  }));
}

/** @param {Message} message @param {Strings} strings */
function text(message, strings) {
  if (isEndCommand(message)) return literal(strings.endRequested);
  if (message.attached || partsHtml(message, strings)) return undefined; // they say the same
  if (message.text && message.from === 'bot') return linkified(message.text);
  if (message.text) return literal(message.text, { labelled: message.from !== 'me' });
  return (message.replies || message.question) && literal(strings.choose);
}

/** @param {Message} message @param {boolean} isLast @param {Strings} strings */
function own(message, isLast, strings) {
  return attachedHtml(message, strings) + (note(message, isLast, strings) ?? '') || undefined;
}

/**
 * Below the requester's own message: whether it got there.
 *
 * @param {Message} message @param {boolean} isLast @param {Strings} strings
 */
function note(message, isLast, strings) {
  const { id, status, reason, resent } = message;
  // Whether the wish to leave was passed on shows in whether the chat ends.
  const receipt = isEndCommand(message) ? undefined : message.receipt;
  if (receipt === 'failed') {
    const why = strings.undelivered;
    return resent ? line(why, 'note failed') : problem(id, why, 'again', strings.sendAgain);
  }
  if (status === 'failed') {
    const why = reason ? fill(strings.failedBecause, { reason }) : strings.failed;
    return problem(id, why, 'retry', strings.retry);
  }
  if (status === 'pending' && reason) return problem(id, reason, 'retry', strings.retry);
  if (status === 'pending') return line(strings.sending);
  return isLast ? line(receipt === 'delivered' ? strings.delivered : strings.sent) : undefined;
}

/** @param {string} said @param {string} [look] */
function line(said, look = 'note') {
  return `<div class="${look}" aria-live="off">${escapeHtml(said)}</div>`;
}

/** @param {string} id @param {string} why @param {'retry' | 'again'} action @param {string} label */
function problem(id, why, action, label) {
  return (
    `<div class="note failed" role="alert"><span>${escapeHtml(why)}</span> ` +
    `<button type="button" class="${action}" data-message="${escapeHtml(id)}">${escapeHtml(label)}</button></div>`
  );
}

/** @param {Message} message @param {boolean} open  whether an answer is still wanted @param {Strings} strings @param {boolean} takesFiles */
function rich(message, open, strings, takesFiles) {
  const shown = partsHtml(message, strings) || attachedHtml(message, strings);
  const drawn = shown + ((open && controls(message, strings, takesFiles)) || '');
  return drawn || undefined;
}

/**
 * What deep-chat leaves open: where a person's messages begin, addresses that no chat may open,
 * pictures without a text.
 *
 * @param {HTMLElement} chat @param {Strings} strings
 */
export function mend(chat, strings) {
  const root = chat.shadowRoot;
  if (!root) return;
  let before = '';
  for (const container of root.querySelectorAll('.outer-message-container')) {
    const role = Array.from(container.classList).find((name) => name.startsWith(ROLE_CLASS)) ?? '';
    container.classList.toggle('group-start', role !== before);
    before = role;
  }
  for (const avatar of root.querySelectorAll('img.avatar')) avatar.setAttribute('alt', '');
  for (const image of root.querySelectorAll('.image-message img')) image.setAttribute('alt', strings.image);
  for (const link of root.querySelectorAll('#messages a')) mendLink(link);
}

/** @param {Element} link */
function mendLink(link) {
  const href = link.getAttribute('href');
  if (href === null) return;
  if (safeUrl(href) === null) {
    link.removeAttribute('href');
    link.removeAttribute('target');
    return;
  }
  link.setAttribute('target', '_blank');
  link.setAttribute('rel', 'noopener noreferrer');
}
