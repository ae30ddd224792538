/** Gets the requester's messages to the server: in order, one at a time, until each is answered. */

import { furthest, newId, string } from './wire.js';

/** @import { Message, Receipt } from './wire.js' */
/** @import { Store } from './store.js' */
/** @import { Strings } from './strings.js' */

/** After this long without an answer a message is shown as unconfirmed, and the next one may go. */
const ACKNOWLEDGED_WITHIN_MS = 15_000;

/**
 * @typedef {Object} Carrier
 * @property {() => boolean} ready
 * @property {(payload: object, answered: (answer: any) => void) => void} carry
 * @property {() => void} changed
 */

export class Outbox {
  /** @param {Store} store @param {Strings} strings @param {Carrier} carrier */
  constructor(store, strings, carrier) {
    this._store = store;
    this._strings = strings;
    this._carrier = carrier;
    /** Ids that this connection has already tried; each is tried once per connection. */
    this._tried = new Set();
    /** @type {string | null} */
    this._underway = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._patience = undefined;
  }

  /** @param {Pick<Message, 'text' | 'attached' | 'send' | 'answers' | 'secret'>} content */
  send(content) {
    this._store.add({ id: newId(), from: 'me', at: Date.now(), status: 'pending', ...content });
    this._carrier.changed();
    this.flush();
  }

  /** @param {string} id */
  retry(id) {
    this._tried.delete(id);
    this._store.update(id, { status: 'pending', reason: undefined, order: undefined });
    this._carrier.changed();
    this.flush();
  }

  /** Send what waits: the next goes when the one before is answered. */
  flush() {
    if (this._underway || !this._carrier.ready()) return;
    const next = this._store.unsent.find((message) => !this._tried.has(message.id));
    if (!next?.send) return;
    const { id } = next;
    this._underway = id;
    this._tried.add(id);
    this._patience = setTimeout(() => this._unanswered(id), ACKNOWLEDGED_WITHIN_MS);
    this._carrier.carry({ ...next.send, message_id: id }, (answer) => this.settle(id, answer));
  }

  /** @param {string} id @param {any} answer  nothing, where the server is stock Rasa */
  settle(id, answer) {
    const known = this._store.find(id);
    if (answer?.accepted === false && !known?.receipt) {
      this._store.update(id, { status: 'failed', reason: string(answer.reason), order: this._store.lastOrder });
    } else {
      const order = Number.isFinite(answer?.seq) ? answer.seq : known?.order;
      this._store.update(id, { status: 'sent', reason: undefined, order });
    }
    this._carrier.changed();
    this._next(id);
  }

  /**
   * The live agent's side has it, or never will; either way the server had it.
   *
   * @param {string} id @param {Receipt} receipt
   */
  receive(id, receipt) {
    const known = this._store.find(id);
    if (known?.from !== 'me') return;
    // A receipt has no number: until one comes, the message stays where it is, between two numbered ones.
    const order = known.order ?? Math.floor(this._store.lastOrder) + 0.5;
    this._store.update(id, {
      status: 'sent', reason: undefined, receipt: furthest(known.receipt, receipt), order,
    });
    this._carrier.changed();
    this._next(id);
  }

  /** Another tab's to send; we do so only on the next connection, when that tab may be gone. @param {string} id */
  leave(id) {
    this._tried.add(id);
  }

  /** The connection is gone: what it did not answer is to be sent again on the next. */
  reset() {
    clearTimeout(this._patience);
    this._underway = null;
    this._tried.clear();
  }

  /** @param {string} id */
  _unanswered(id) {
    this._store.update(id, { reason: this._strings.unanswered });
    this._carrier.changed();
    this._next(id);
  }

  /** @param {string} id */
  _next(id) {
    if (this._underway !== id) return;
    clearTimeout(this._patience);
    this._underway = null;
    this.flush();
  }
}
