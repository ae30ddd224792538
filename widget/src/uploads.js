/** Sends files to the server, one after another, and says how far each has come. Draws nothing. */

import { fill } from './strings.js';
import { newId, string } from './wire.js';

/** @import { Strings } from './strings.js' */
/** @import { Attached } from './wire.js' */

/**
 * @typedef {{takes: boolean, types: string[], limit: number}} Offer  what the server takes; bytes
 *
 * @typedef {Object} Upload
 * @property {string} id
 * @property {File} file
 * @property {string} [question]           id of the desk's question that it answers
 * @property {'waiting' | 'sending' | 'failed'} state
 * @property {number} part                 from 0 to 1
 * @property {string} [reason]
 * @property {boolean} [again]             whether trying again may help
 *
 * @typedef {Object} Way
 * @property {() => string} url
 * @property {() => string | null} token
 * @property {() => string | null} session
 *
 * @typedef {Object} UploadObserver
 * @property {(uploads: Upload[]) => void} changed
 * @property {(file: any, question?: string) => void} arrived   what the server says of the file
 */

/** Texts that many systems name by no type, or by one of their own. */
const TEXT = /^text\/(?!html|xml|css|javascript)|^application\/(json|x-ndjson|yaml|toml|sql)$/;
const SLOW = 408;
const BUSY = 429;

export class Uploads {
  /** @param {Way} way @param {Strings} strings @param {UploadObserver} observer */
  constructor(way, strings, observer) {
    this._way = way;
    this._strings = strings;
    this._observer = observer;
    /** @type {Upload[]} */
    this._uploads = [];
    /** @type {Offer} */
    this.offer = { takes: false, types: [], limit: 0 };
    /** @type {XMLHttpRequest | undefined} */
    this._request = undefined;
  }

  /** @param {Iterable<File>} files @param {string} [question] */
  add(files, question) {
    if (!this.offer.takes) return;
    for (const file of files) {
      const reason = this._problem(file);
      this._uploads.push({ id: newId(), file, question, part: 0, state: reason ? 'failed' : 'waiting', reason });
    }
    this._changed();
    this._next();
  }

  /** Forget a file, and stop sending it. @param {string} id */
  remove(id) {
    const upload = this._find(id);
    this._uploads = this._uploads.filter((each) => each !== upload);
    if (upload?.state === 'sending') this._request?.abort();
    this._changed();
    this._next();
  }

  /** @param {string} id */
  retry(id) {
    const upload = this._find(id);
    if (!upload) return;
    Object.assign(upload, { state: 'waiting', part: 0, reason: undefined });
    this._changed();
    this._next();
  }

  /** Forget all of them. */
  clear() {
    this._uploads = [];
    this._request?.abort();
    this._changed();
  }

  /** What the server would say, said before anything is sent. @param {File} file */
  _problem(file) {
    const { fileTooLarge, fileType, fileEmpty } = this._strings;
    const { types, limit } = this.offer;
    if (!file.size) return fileEmpty;
    if (file.size > limit) return fill(fileTooLarge, { limit: size(limit) });
    const known = !file.type || types.includes(file.type) || (types.includes('text/plain') && TEXT.test(file.type));
    return known ? undefined : fileType;
  }

  _next() {
    if (this._uploads.some(({ state }) => state === 'sending')) return;
    const upload = this._uploads.find(({ state }) => state === 'waiting');
    const session = this._way.session();
    if (!upload) return;
    if (session === null) this._fail(upload, this._strings.fileOffline, true);
    else this._send(upload, session);
  }

  /** @param {Upload} upload @param {string} session */
  _send(upload, session) {
    const request = new XMLHttpRequest();
    const token = this._way.token();
    this._request = request;
    upload.state = 'sending';
    request.open('POST', new URL('/files', this._way.url()).href);
    request.setRequestHeader('X-Session-Id', session);
    request.setRequestHeader('X-File-Name', encodeURIComponent(upload.file.name));
    request.setRequestHeader('Content-Type', upload.file.type || 'application/octet-stream');
    if (token) request.setRequestHeader('Authorization', `Bearer ${token}`);
    request.upload.addEventListener('progress', ({ loaded, total }) => {
      upload.part = total ? loaded / total : 0;
      this._changed();
    });
    request.addEventListener('load', () => this._answered(upload, request));
    request.addEventListener('error', () => this._fail(upload, this._strings.fileOffline, true));
    request.send(upload.file);
    this._changed();
  }

  /** @param {Upload} upload @param {XMLHttpRequest} request */
  _answered(upload, request) {
    const { status } = request;
    const answer = parsed(request.responseText);
    if (status === 201 && answer?.file) {
      this._uploads = this._uploads.filter((each) => each !== upload);
      this._changed();
      this._observer.arrived(answer.file, upload.question);
      this._next();
    } else {
      const again = status >= 500 || status === SLOW || status === BUSY;
      this._fail(upload, string(answer?.reason) ?? this._strings.fileFailed, again);
    }
  }

  /** @param {Upload} upload @param {string} reason @param {boolean} again */
  _fail(upload, reason, again) {
    Object.assign(upload, { state: 'failed', reason, again });
    this._changed();
    this._next();
  }

  /** @param {string} id */
  _find(id) {
    return this._uploads.find((upload) => upload.id === id);
  }

  _changed() {
    this._observer.changed([...this._uploads]);
  }
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${Math.round((bytes / 1024 / 1024) * 10) / 10} MB`;
}

/** @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
