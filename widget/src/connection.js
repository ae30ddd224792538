/** The Socket.IO connection and the agreement on a session; what is said over it is conversation.js. */

import { io } from 'socket.io-client';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5000;

/**
 * @typedef {'connecting' | 'online' | 'reconnecting' | 'refused' | 'closed'} Status
 *
 * @typedef {Object} Listener
 * @property {() => {session_id: string | null, last_seen: number}} wanted  the session to ask for
 * @property {(id: string) => boolean} confirmed  false: not ours, ask again for what is wanted now
 * @property {(reason: string | undefined) => void} refused
 * @property {(status: Status) => void} status
 * @property {(event: string, payload: any) => void} event
 */

const PUSHED = ['bot_uttered', 'files', 'receipt', 'typing', 'handoff'];

export class Connection {
  /**
   * @param {{url: string, token: () => string | null}} options
   * @param {Listener} listener
   */
  constructor({ url, token }, listener) {
    this._listener = listener;
    /** @type {string | null} */
    this.session = null;
    /** @type {string | null} */
    this._asked = null;
    this._hadSession = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._knocking = undefined;
    this._knocks = 0;
    this._socket = io(url, {
      path: '/socket.io',
      auth: (/** @type {(data: object) => void} */ give) => give(token() ? { token: token() } : {}),
      reconnectionDelay: FIRST_RETRY_MS,
      reconnectionDelayMax: LAST_RETRY_MS,
      forceNew: true,
      autoConnect: false,
    });
    this._socket.on('connect', () => this.request());
    this._socket.on('connect_error', () => this._lost(this._socket.active ? this._waiting() : 'refused'));
    this._socket.on('disconnect', () => this._lost(this._waiting()));
    this._socket.on('session_confirm', (answer) => this._confirmed(answer));
    this._socket.on('session_refused', (answer) => this._refused(answer));
    for (const event of PUSHED) {
      // Until a session is confirmed, what still comes belongs to the one we have left.
      this._socket.on(event, (payload) => this.session !== null && this._listener.event(event, payload ?? {}));
    }
  }

  open() {
    this._listener.status(this._waiting());
    this._socket.connect();
  }

  close() {
    clearTimeout(this._knocking);
    this._socket.removeAllListeners();
    this._socket.disconnect();
  }

  /** Connect anew, with whatever token there is now. */
  reopen() {
    this._socket.disconnect();
    clearTimeout(this._knocking);
    this._socket.connect();
  }

  /** Ask for the session that is wanted now. */
  request() {
    this.session = null;
    if (!this._socket.connected) return;
    const wanted = this._listener.wanted();
    this._asked = wanted.session_id;
    this._socket.emit('session_request', wanted);
  }

  /** @param {string} event @param {object} payload @param {(answer: any) => void} [acknowledged] */
  emit(event, payload, acknowledged) {
    if (this.session === null) return;
    const named = { ...payload, session_id: this.session };
    if (acknowledged) this._socket.emit(event, named, acknowledged);
    else this._socket.emit(event, named);
  }

  /** @param {any} answer */
  _confirmed(answer) {
    const id = typeof answer === 'string' ? answer : answer?.session_id;
    if (typeof id !== 'string' || !id || id === this.session) return;
    if (!this._listener.confirmed(id)) {
      this.request();
      return;
    }
    this.session = id;
    this._hadSession = true;
    this._knocks = 0;
    this._listener.status('online');
  }

  /** @param {any} answer */
  _refused(answer) {
    const asked = this._asked;
    this.session = null;
    this._listener.refused(typeof answer?.reason === 'string' ? answer.reason : undefined);
    // A refused id leaves a new session to ask for; a refused new session leaves nothing.
    if (asked !== null) this.request();
    else this._listener.status('closed');
  }

  /** @param {Status} status */
  _lost(status) {
    this.session = null;
    this._listener.status(status);
    clearTimeout(this._knocking);
    // Closed or refused by the server, socket.io-client does not try again by itself.
    if (this._socket.active) return;
    const pause = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this._knocks);
    this._knocking = setTimeout(() => this._socket.connect(), pause);
    this._knocks += 1;
  }

  /** @returns {Status} */
  _waiting() {
    return this._hadSession ? 'reconnecting' : 'connecting';
  }
}
