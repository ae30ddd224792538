/** What the desk asks: options, dates, secrets; and what goes back, `/answer <question> <what>`. */

import { escapeHtml, safeUrl } from './text.js';

/** @import { Message, Question, Reply } from './wire.js' */
/** @import { Strings } from './strings.js' */

const INPUTS = { date: 'date', datetime: 'datetime-local', time: 'time', secret: 'password' };
const MASK = '••••••';

/**
 * The controls below a question that still wants an answer.
 *
 * @param {Message} message @param {Strings} strings @param {boolean} takesFiles @returns {string | undefined} HTML
 */
export function controls(message, strings, takesFiles) {
  const kind = message.question?.kind;
  if (kind === 'several' && message.replies) return form(message, boxes(message), strings);
  if (kind && Object.hasOwn(INPUTS, kind)) return form(message, input(message, kind), strings);
  if (message.replies) return `<div class="replies">${message.replies.map((_, at) => button(message, at)).join('')}</div>`;
  return kind === 'file' ? request(message, strings, takesFiles) : undefined;
}

/**
 * What a form says, undefined where nothing was chosen.
 *
 * @param {HTMLFormElement} form @param {Message} message @returns {Reply | undefined}
 */
export function readForm(form, { question, replies = [] }) {
  if (!question) return undefined;
  const given = new FormData(form);
  if (question.kind === 'several') {
    const places = given.getAll('option').map(Number);
    const title = places.map((at) => replies[at]?.title).join(', ');
    const payload = `/answer ${question.id} ${places.join(',')}`;
    return places.length ? discreet({ title, payload }, question) : undefined;
  }
  const value = String(given.get('answer') ?? '');
  if (!value.trim()) return undefined;
  const exact = question.kind === 'datetime' ? value + offset(value) : value;
  return discreet({ title: value.replace('T', ' '), payload: `/answer ${question.id} ${exact}` }, question);
}

/** What is secret is shown as a mask and not stored. @param {Reply} reply @param {Question | undefined} question */
export function discreet(reply, question) {
  if (!question?.masked && question?.kind !== 'secret') return reply;
  return { ...reply, title: MASK, secret: true };
}

/** @param {Message} message @param {string} inside @param {Strings} strings */
function form({ id }, inside, strings) {
  const send = escapeHtml(strings.answer);
  return (
    `<form class="ask" data-message="${escapeHtml(id)}" autocomplete="off">${inside}` +
    `<button type="submit" class="reply">${send}</button></form>`
  );
}

/** A request for files. @param {Message} message @param {Strings} strings @param {boolean} takesFiles */
function request({ id, question }, strings, takesFiles) {
  if (!takesFiles) return `<div class="note">${escapeHtml(strings.noUpload)}</div>`;
  const label = escapeHtml(question?.pictures ? strings.choosePicture : strings.chooseFile);
  return `<div class="replies"><button type="button" class="reply choose" data-message="${escapeHtml(id)}">${label}</button></div>`;
}

/** @param {Message} message @param {string} kind */
function input({ text }, kind) {
  const type = INPUTS[/** @type {keyof typeof INPUTS} */ (kind)];
  return `<input name="answer" type="${type}" required aria-label="${escapeHtml(text ?? '')}">`;
}

/** @param {Message} message */
function boxes({ text, replies = [] }) {
  const each = replies.map(
    ({ title }, at) =>
      `<label><input type="checkbox" name="option" value="${at}"> <span>${escapeHtml(title)}</span></label>`,
  );
  return `<div class="boxes" role="group" aria-label="${escapeHtml(text ?? '')}">${each.join('')}</div>`;
}

/** @param {Message} message @param {number} at */
function button({ id, replies = [] }, at) {
  const { title, description, image } = replies[at];
  const source = safeUrl(image, { image: true });
  const picture = source ? `<img src="${escapeHtml(source)}" alt="" referrerpolicy="no-referrer">` : '';
  const about = description ? `<span class="about">${escapeHtml(description)}</span>` : '';
  const look = picture || about ? 'reply tile' : 'reply';
  return (
    `<button type="button" class="${look}" data-message="${escapeHtml(id)}" data-reply="${at}">` +
    `${picture}${picture || about ? `<span>${escapeHtml(title)}</span>` : escapeHtml(title)}${about}</button>`
  );
}

/** How far the requester's clock is from UTC at that moment, as ISO 8601 has it. @param {string} local */
function offset(local) {
  const minutes = -new Date(local).getTimezoneOffset();
  const part = (/** @type {number} */ value) => String(Math.floor(Math.abs(value))).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${part(minutes / 60)}:${part(minutes % 60)}`;
}
