/** What is said, by whom, and whether it arrived. Knows the protocol and the store, draws nothing. */

import { Connection } from './connection.js';
import { Outbox } from './outbox.js';
import { END_CHAT, isEndCommand, newId, readAttached, readReceipt, readUttered, string } from './wire.js';

/** @import { Message, Reply } from './wire.js' */
/** @import { Status } from './connection.js' */
/** @import { Store } from './store.js' */
/** @import { Strings } from './strings.js' */

/** A server tells of an open handoff right after it confirmed the session; silence means there is none. */
const HANDOFF_TOLD_WITHIN_MS = 2000;
/** An agent who stopped typing without telling us is taken not to type any more. */
const TYPING_LASTS_MS = 30_000;

/**
 * @typedef {Object} Observer
 * @property {() => void} changed                      the messages changed
 * @property {(message: Message) => void} arrived      somebody wrote to the requester
 * @property {(status: Status) => void} status
 * @property {(handoff: {state: string, name?: string} | null) => void} handoff
 * @property {(typing: {name?: string} | null) => void} typing
 * @property {(offer: import('./uploads.js').Offer) => void} offered  which files the server takes
 */

export class Conversation {
  /**
   * @param {{url: string, token: () => string | null, fixedId: string | null, about: () => object}} options
   * @param {Store} store @param {Strings} strings @param {Observer} observer
   */
  constructor({ url, token, fixedId, about }, store, strings, observer) {
    this._url = url;
    this._fixedId = fixedId;
    this._store = store;
    this._strings = strings;
    this._observer = observer;
    /** @type {Record<string, ReturnType<typeof setTimeout>>} */
    this._timers = {};
    this._connection = new Connection(
      { url, token },
      {
        wanted: () => this._wanted(),
        confirmed: (id) => this._confirmed(id),
        refused: (reason) => this._refused(reason),
        status: (status) => this._status(status),
        event: (event, payload) => this._hear(event, payload),
      },
    );
    this._outbox = new Outbox(store, strings, {
      ready: () => this._connection.session !== null,
      carry: (payload, answered) => this._connection.emit('user_uttered', withAbout(payload, about()), answered),
      changed: () => observer.changed(),
    });
    this._onStorage = (/** @type {StorageEvent} */ event) => event.key === store.key && this._otherTab();
  }

  open() {
    window.addEventListener('storage', this._onStorage);
    this._connection.open();
  }

  close() {
    window.removeEventListener('storage', this._onStorage);
    Object.values(this._timers).forEach(clearTimeout);
    this._outbox.reset();
    this._connection.close();
  }

  reconnect() {
    this._connection.reopen();
  }

  /** @param {string} text */
  say(text) {
    this._outbox.send({ text, send: { message: text } });
  }

  /** @param {string} id  of the message with the button @param {Reply} reply */
  choose(id, { title, payload, secret }) {
    const send = secret ? { message: payload } : { message: payload, metadata: { title } };
    this._outbox.send({ text: title, answers: id, send, ...(secret && { secret }) });
  }

  /** A file that the server has. @param {any} file  as the server tells of it @param {string} [question] */
  sayFile(file, question) {
    const attached = readAttached([file], this._url);
    if (attached) this._sayAttached(attached, question);
  }

  /** @param {import('./wire.js').Attached[]} attached @param {string} [question] */
  _sayAttached(attached, question) {
    const [{ id, name }] = attached;
    const asked = question ? this._store.messages.find((message) => message.question?.id === question) : undefined;
    this._outbox.send({
      text: name, attached, answers: asked?.id, send: { file: id, ...(question && { question }) },
    });
  }

  end() {
    this._outbox.send({ send: { message: END_CHAT } });
  }

  /** @param {string} id */
  retry(id) {
    this._outbox.retry(id);
  }

  /** Say anew, as another message, what was not delivered. @param {Message} message */
  sayAgain({ id, text, attached }) {
    if (!text || this._store.find(id)?.resent) return;
    this._store.update(id, { resent: true });
    if (attached) this._sayAttached(attached);
    else this.say(text);
  }

  /** Leave this conversation behind and begin another. */
  startOver() {
    this._fixedId = null;
    this._store.begin(null, { keepUnsent: false });
    this._forget();
    this._observer.changed();
    this._connection.request();
  }

  /** @param {boolean} on */
  tellTyping(on) {
    this._connection.emit('typing', { on });
  }

  get session() {
    return this._connection.session;
  }

  _wanted() {
    const session = this._store.session;
    if (session !== null) return { session_id: session, last_seen: this._store.lastSeen };
    return { session_id: this._fixedId, last_seen: 0 };
  }

  /** @param {string} id */
  _confirmed(id) {
    const { session } = this._store;
    if (session === null) {
      // Two new tabs at once: the session that was stored first is the one.
      const { session: stored } = this._store.stored();
      if (stored !== null && stored !== id) {
        this._store.follow();
        return false;
      }
      this._store.name(id);
    } else if (id !== session) {
      this._store.begin(id);
      this._observer.changed();
    }
    return true;
  }

  /** @param {string | undefined} reason */
  _refused(reason) {
    const text = reason ?? this._strings.sessionRefused;
    this._fixedId = null;
    this._store.begin(null);
    this._forget();
    this._store.add({ id: `refused-${newId()}`, from: 'system', at: Date.now(), text }, 0);
    this._observer.changed();
  }

  /** @param {Status} status */
  _status(status) {
    clearTimeout(this._timers.handoff);
    if (status === 'online') {
      this._timers.handoff = setTimeout(() => this._observer.handoff(null), HANDOFF_TOLD_WITHIN_MS);
      this._outbox.flush();
    } else {
      this._outbox.reset();
      this._typing(null);
    }
    this._observer.status(status);
  }

  _forget() {
    this._outbox.reset();
    this._typing(null);
    this._observer.handoff(null);
  }

  /** @param {string} event @param {any} payload */
  _hear(event, payload) {
    if (event === 'bot_uttered') this._uttered(payload);
    if (event === 'files') this._offered(payload);
    if (event === 'receipt') this._receipt(payload.message_id, payload.state);
    if (event === 'typing') this._typing(payload.on ? { name: string(payload.name) } : null);
    if (event === 'handoff') {
      clearTimeout(this._timers.handoff);
      if (payload.state !== 'live') this._typing(null);
      this._observer.handoff({ state: String(payload.state), name: string(payload.name) });
    }
  }

  /** @param {any} payload */
  _uttered(payload) {
    const { message, seq, acknowledge } = readUttered(payload, this._url);
    this._store.sawPushed(seq);
    const known = this._store.find(message.id);
    if (known?.from === 'me') {
      // Our own words come back: they did arrive, whatever became of the acknowledgement.
      this._outbox.settle(message.id, { accepted: true, seq });
      this._receipt(message.id, message.receipt);
    } else if (!known) {
      this._store.add(this._drawable(message), seq);
      if (message.from === 'agent') this._typing(null);
      this._observer.changed();
      this._observer.arrived(message);
    }
    if (acknowledge) this._connection.emit('delivered', { message_id: message.id });
  }

  /** @param {any} payload */
  _offered({ takes, types, limit, files }) {
    const known = readAttached(files, this._url);
    if (known) {
      this._store.relink(known);
      this._observer.changed();
    }
    this._observer.offered({
      takes: takes === true, types: Array.isArray(types) ? types.map(String) : [], limit: Number(limit) || 0,
    });
  }

  /** @param {string} id @param {unknown} state */
  _receipt(id, state) {
    const receipt = readReceipt(state);
    if (receipt) this._outbox.receive(id, receipt);
  }

  /** @param {Message} message @returns {Message} */
  _drawable(message) {
    const { text, files, attached, replies, parts, question } = message;
    if (text || files || attached || replies || parts || question || isEndCommand(message)) return message;
    return { ...message, text: this._strings.unsupported };
  }

  /** @param {{name?: string} | null} typing */
  _typing(typing) {
    clearTimeout(this._timers.typing);
    if (typing) this._timers.typing = setTimeout(() => this._observer.typing(null), TYPING_LASTS_MS);
    this._observer.typing(typing);
  }

  /** Another tab of this browser wrote to the store. */
  _otherTab() {
    const { session } = this._store.stored();
    if (session === this._store.session) {
      const ours = new Set(this._store.unsent.map(({ id }) => id));
      this._store.merge();
      this._store.unsent.filter(({ id }) => !ours.has(id)).forEach(({ id }) => this._outbox.leave(id));
    } else if (session !== null) {
      this._store.follow();
      this._forget();
      this._connection.request();
    }
    this._observer.changed();
  }
}

/** @param {{metadata?: object}} payload @param {object} about */
function withAbout(payload, about) {
  const metadata = { ...about, ...payload.metadata };
  return Object.keys(metadata).length ? { ...payload, metadata } : payload;
}
