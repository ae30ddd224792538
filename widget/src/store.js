/**
 * The conversation as this browser knows it, kept in localStorage and shared by its tabs.
 *
 * deep-chat's own storage keeps neither ids nor what still has to be sent, and loses what is drawn
 * with `addMessage`, so we keep ours and hand deep-chat what to draw.
 */

import { furthest } from './wire.js';

/** @import { Attached, Message } from './wire.js' */

/** @typedef {{session: string | null, lastSeen: number, messages: Message[], found: boolean}} Stored */

const KEPT_MESSAGES = 200;

export class Store {
  /** @param {string} key @param {Storage | null} storage */
  constructor(key, storage) {
    this.key = key;
    this._storage = storage;
    const stored = this.stored();
    /** @type {string | null} */
    this.session = stored.session;
    /** Highest `seq` the server pushed to us, the place to continue from. */
    this.lastSeen = stored.lastSeen;
    this.messages = stored.messages;
  }

  /** What is in the browser now; anything unreadable counts as nothing. @returns {Stored} */
  stored() {
    try {
      return readStored(JSON.parse(this._storage?.getItem(this.key) ?? 'null'));
    } catch {
      return readStored(null);
    }
  }

  /** @param {string} id */
  find(id) {
    return this.messages.find((message) => message.id === id);
  }

  /** Messages still to be acknowledged, oldest first. */
  get unsent() {
    return this.messages.filter((message) => message.status === 'pending');
  }

  /**
   * Without a number (still on its way, or from stock Rasa, which numbers nothing) it goes to the end.
   *
   * @param {Message} message @param {number} [order]
   */
  add(message, order) {
    this.messages.push({ ...message, order });
    this._settle();
  }

  /** @param {string} id @param {Partial<Message>} changes */
  update(id, changes) {
    const message = this.find(id);
    if (!message) return;
    Object.assign(message, changes);
    this._settle();
  }

  /** What is known of files by now, their links above all. @param {Attached[]} files */
  relink(files) {
    const known = new Map(files.map((file) => [file.id, file]));
    for (const message of this.messages) {
      message.attached = message.attached?.map((file) => known.get(file.id) ?? file);
    }
    this._settle();
  }

  /** The place of what the server did not take: where it was refused. */
  get lastOrder() {
    return this.messages.reduce((last, message) => Math.max(last, message.order ?? 0), this.lastSeen);
  }

  /** @param {number | undefined} seq */
  sawPushed(seq) {
    this.lastSeen = Math.max(this.lastSeen, seq ?? 0);
  }

  /**
   * Begin another session. What was never acknowledged goes along, unless told otherwise.
   *
   * @param {string | null} session @param {{keepUnsent?: boolean}} [options]
   */
  begin(session, { keepUnsent = true } = {}) {
    this.messages = keepUnsent ? this.unsent : [];
    this.session = session;
    this.lastSeen = 0;
    this._write();
  }

  /** The first session of this browser: nothing is dropped. @param {string} session */
  name(session) {
    this.session = session;
    this._write();
  }

  /** Take another tab's session as ours, with what we still have to send. */
  follow() {
    const { unsent } = this;
    ({ session: this.session, lastSeen: this.lastSeen, messages: this.messages } = this.stored());
    this.messages.push(...unsent.filter(({ id }) => !this.find(id)));
    this._settle();
  }

  /** Take in what another tab of the same session has written. */
  merge() {
    const theirs = this.stored();
    if (theirs.session !== this.session) return;
    this._takeIn(theirs, (ours, other) => ours.status !== 'sent' || isOriginal(other, ours));
    this._sort();
  }

  _settle() {
    this._sort();
    this._save();
  }

  _sort() {
    this.messages.sort((a, b) => (a.order ?? Infinity) - (b.order ?? Infinity) || 0);
  }

  _save() {
    const theirs = this.stored();
    // Another tab has moved on to another session: its state is not ours to overwrite.
    if (theirs.found && theirs.session !== this.session) return;
    this._takeIn(
      theirs,
      (ours, other) => other.status === 'sent' && (ours.status !== 'sent' || isOriginal(other, ours)),
    );
    this._sort();
    this._write(Math.max(this.lastSeen, theirs.lastSeen));
  }

  /**
   * @param {Stored} theirs
   * @param {(ours: Message, theirs: Message) => boolean} isNewer  of two versions of our own message
   */
  _takeIn(theirs, isNewer) {
    for (const message of theirs.messages) {
      const index = this.messages.findIndex((ours) => ours.id === message.id);
      const ours = this.messages[index];
      if (!ours) this.messages.push(message);
      else if (message.from === 'me') {
        this.messages[index] = isNewer(ours, message) ? joined(message, ours) : joined(ours, message);
      }
    }
  }

  _write(lastSeen = this.lastSeen) {
    const { session } = this;
    const kept = this.messages.slice(-KEPT_MESSAGES).filter(isStorable).map(withoutSecret);
    try {
      this._storage?.setItem(this.key, JSON.stringify({ session, lastSeen, messages: kept }));
    } catch {
      // Full or forbidden: the chat goes on, only without memory.
    }
  }
}

/** A secret that was not sent is lost with the page, rather than written down. @param {Message} message */
function isStorable({ secret, status }) {
  return !secret || status === 'sent';
}

/** @param {Message} message @returns {Message} */
function withoutSecret(message) {
  return message.secret ? { ...message, send: undefined } : message;
}

/**
 * The server's echo of a used button may carry the payload; the tab it was used in knows the title.
 *
 * @param {Message} message @param {Message} other
 */
function isOriginal(message, other) {
  return message.send !== undefined && other.send === undefined;
}

/**
 * One version of our message, with what only the other knows about its delivery. What has a receipt
 * was sent; and its number, once a tab has heard it, replaces the place that was guessed.
 *
 * @param {Message} message @param {Message} other @returns {Message}
 */
function joined(message, other) {
  const receipt = furthest(message.receipt, other.receipt);
  if (!receipt) return message;
  const order = Number.isInteger(message.order) ? message.order : (other.order ?? message.order);
  return { ...message, status: 'sent', receipt, order, resent: message.resent || other.resent };
}

/** @param {any} value @returns {Stored} */
function readStored(value) {
  const session = typeof value?.session === 'string' && value.session ? value.session : null;
  const messages = Array.isArray(value?.messages) ? value.messages.filter(isMessage) : [];
  const lastSeen = Number.isFinite(value?.lastSeen) ? value.lastSeen : 0;
  return { session, messages, lastSeen: session ? lastSeen : 0, found: value !== null };
}

/** @param {any} value @returns {value is Message} */
function isMessage(value) {
  return (
    typeof value?.id === 'string' &&
    ['me', 'bot', 'agent', 'system'].includes(value.from) &&
    [value.text, value.name, value.avatar, value.reason].every(isStringOrNothing) &&
    [value.files, value.attached, value.replies, value.parts].every((list) => list === undefined || Array.isArray(list)) &&
    (value.order === undefined || Number.isFinite(value.order)) &&
    (value.status !== 'pending' || [value.send?.message, value.send?.file].some((sent) => typeof sent === 'string'))
  );
}

/** @param {unknown} value */
function isStringOrNothing(value) {
  return value === undefined || typeof value === 'string';
}
