/** What the server says, read into our own message shape; see docs/widget.md for the protocol. */

import { safeUrl } from './text.js';

/**
 * @typedef {{title: string, payload: string, description?: string, image?: string, secret?: boolean}} Reply
 * @typedef {{id: string, kind: string, masked: boolean, pictures?: boolean, count?: number}} Question  the last two of a request for files
 * @typedef {{kind: string, [about: string]: any}} Part  see `parts` in docs/webchat-protocol.md
 * @typedef {{src: string, name: string, type: 'image' | 'any'}} ChatFile
 * @typedef {{id: string, name: string, size: number, url?: string, picture: boolean, width?: number, height?: number}} Attached
 *
 * @typedef {Object} Message
 * @property {string} id
 * @property {'me' | 'bot' | 'agent' | 'system'} from
 * @property {number} at            when this browser first had it, in ms
 * @property {number} [order]       place in the conversation; a message on its way out has none yet
 * @property {string} [text]
 * @property {string} [name]
 * @property {string} [avatar]
 * @property {ChatFile[]} [files]
 * @property {Attached[]} [attached]  files on our server
 * @property {Reply[]} [replies]
 * @property {Part[]} [parts]       what is drawn in place of the text
 * @property {Question} [question]  what is asked, where it is more than a button to press
 * @property {boolean} [secret]     what it carries is kept in memory only
 * @property {{message?: string, file?: string, question?: string, metadata?: {title: string}}} [send]  what `user_uttered` carries
 * @property {string} [answers]     id of the message whose reply button was used
 * @property {'pending' | 'sent' | 'failed'} [status]  whether the server has it
 * @property {string} [reason]      why it failed or still waits
 * @property {Receipt} [receipt]    whether the live agent's side has it, once that is known
 * @property {boolean} [resent]     not delivered, and said anew under another id
 *
 * @typedef {'delivered' | 'failed'} Receipt
 */

export const END_CHAT = '/end_chat';

const SENDERS = { bot: 'bot', agent: 'agent', system: 'system', requester: 'me' };

/**
 * @param {any} payload  of `bot_uttered`
 * @param {string} base  the server's address, for relative file addresses
 * @returns {{message: Message, seq?: number, acknowledge: boolean}}
 */
export function readUttered(payload, base) {
  const said = isObject(payload) ? payload : {};
  const metadata = isObject(said.metadata) ? said.metadata : {};
  const from = SENDERS[/** @type {keyof typeof SENDERS} */ (metadata.sender)] ?? 'bot';
  const id = string(metadata.message_id);
  /** @type {Message} */
  const message = {
    id: id ?? anonymousId(said),
    from: /** @type {Message['from']} */ (from),
    at: Date.now(),
    text: string(said.text),
    name: string(metadata.name),
    avatar: safeUrl(metadata.avatar, { image: true, base }) ?? undefined,
    files: files(said, base),
    attached: readAttached(said.files, base),
    replies: replies(said.quick_replies),
    parts: parts(said.parts, base),
    question: question(said.question),
  };
  if (from === 'me') {
    message.status = 'sent';
    message.receipt = readReceipt(metadata.receipt);
  }
  return {
    message,
    seq: Number.isFinite(metadata.seq) ? metadata.seq : undefined,
    acknowledge: id !== undefined,
  };
}

/** @param {any} given  `files` of a message @param {string} base @returns {Attached[] | undefined} */
export function readAttached(given, base) {
  if (!Array.isArray(given)) return undefined;
  const known = given.filter((file) => isObject(file) && string(file.id) && string(file.name));
  const read = known.map(({ id, name, size, url, picture, width, height }) => ({
    id, name, width, height,
    size: Number.isFinite(size) ? size : 0,
    picture: picture === true,
    url: safeUrl(url, { base }) ?? undefined,
  }));
  return read.length ? read : undefined;
}

/** @param {unknown} state @returns {Receipt | undefined} */
export function readReceipt(state) {
  return state === 'delivered' || state === 'failed' ? state : undefined;
}

/**
 * What remains of two receipts of one message: what was taken stays taken, whatever else is heard.
 *
 * @param {Receipt | undefined} known @param {Receipt | undefined} heard
 */
export function furthest(known, heard) {
  return known === 'delivered' || heard === 'delivered' ? 'delivered' : (known ?? heard);
}

/** Drawn as nothing but a line: a command is not something the requester said. @param {Message} message */
export function isEndCommand(message) {
  return message.from === 'me' && (message.send?.message ?? message.text) === END_CHAT;
}

/** @param {any} said @param {string} base @returns {ChatFile[] | undefined} */
function files(said, base) {
  if (said.type === 'file_download') return file(said.file_url, said.file_name, 'any', base);
  const source = said.attachment?.payload?.src ?? said.image;
  const isImage = said.image !== undefined || said.attachment?.type === 'image';
  return file(source, said.attachment?.payload?.title, isImage ? 'image' : 'any', base);
}

/** @param {any} address @param {any} name @param {ChatFile['type']} type @param {string} base */
function file(address, name, type, base) {
  const src = safeUrl(address, { image: type === 'image', base });
  if (!src) return undefined;
  return [{ src, type, name: string(name) ?? (type === 'any' ? lastSegment(src) : '') }];
}

/** @param {any} given @returns {Reply[] | undefined} */
function replies(given) {
  if (!Array.isArray(given)) return undefined;
  const offered = given
    .filter((reply) => isObject(reply) && string(reply.title))
    .map((reply) => ({
      title: reply.title,
      payload: string(reply.payload) ?? reply.title,
      description: string(reply.description),
      image: string(reply.image),
    }));
  return offered.length ? offered : undefined;
}

/** A part that is a file has a path on the server. @param {any} given @param {string} base @returns {Part[] | undefined} */
function parts(given, base) {
  const kinds = Array.isArray(given) ? given.filter((part) => isObject(part) && string(part.kind)) : [];
  const known = kinds.map((part) => (part.file ? { ...part, ...resolved(part, base) } : part));
  return known.length ? /** @type {Part[]} */ (known) : undefined;
}

/** @param {Part} part @param {string} base */
function resolved({ src, href }, base) {
  return { ...(src && { src: safeUrl(src, { base }) }), ...(href && { href: safeUrl(href, { base }) }) };
}

/** @param {any} given @returns {Question | undefined} */
function question(given) {
  return isObject(given) && string(given.id) && string(given.kind)
    ? {
        id: given.id, kind: given.kind, masked: given.masked === true,
        ...(given.kind === 'file' && { pictures: given.files === 'Image', count: Number(given.max_count) || undefined }),
      }
    : undefined;
}

/** @param {string} src */
function lastSegment(src) {
  try {
    return decodeURIComponent(new URL(src).pathname.split('/').pop() ?? '');
  } catch {
    return '';
  }
}

/** @type {Map<string, number>} */
const seen = new Map();

/**
 * An id for a message that came without one (stock Rasa): alike in every tab that got the same push,
 * different when the same words are said again.
 *
 * @param {unknown} said
 */
function anonymousId(said) {
  const key = `${Math.floor(Date.now() / 5000)}-${hash(JSON.stringify(said))}`;
  const times = (seen.get(key) ?? 0) + 1;
  seen.set(key, times);
  return `anonymous-${key}-${times}`;
}

/** @param {string} text */
function hash(text) {
  let value = 5381;
  for (let i = 0; i < text.length; i += 1) value = (value * 33 + text.charCodeAt(i)) >>> 0;
  return value.toString(36);
}

/** @param {unknown} value @returns {value is Record<string, any>} */
function isObject(value) {
  return typeof value === 'object' && value !== null;
}

/** @param {unknown} value */
export function string(value) {
  return typeof value === 'string' && value.trim() ? value : undefined;
}

export function newId() {
  // randomUUID exists only on https and localhost.
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
