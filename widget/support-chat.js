/**
 * `<support-chat>`: a chat window that knows whether the assistant or a live agent answers.
 *
 * Attributes, events, properties and theming: docs/widget.md.
 */

import { describeBrowser } from './src/about.js';
import { Conversation } from './src/conversation.js';
import { Shell } from './src/shell.js';
import { Store } from './src/store.js';
import { STRINGS } from './src/strings.js';
import { TypingNews } from './src/typing.js';
import { Tray } from './src/tray.js';
import { Uploads } from './src/uploads.js';
import { View } from './src/view.js';
import { isEndCommand } from './src/wire.js';

/** @import { Handoff } from './src/shell.js' */
/** @import { Message } from './src/wire.js' */
/** @import { Strings } from './src/strings.js' */

export class SupportChat extends HTMLElement {
  static observedAttributes = ['widget-title', 'token', 'server-url', 'sender-id'];

  constructor() {
    super();
    this.attachShadow({ mode: 'open' });
    /** @type {Strings} */
    this._strings = STRINGS;
    this._unread = 0;
    /** @type {Handoff} */
    this._handoff = null;
    this._leaving = false;
    /** @type {Shell | undefined} */
    this._shell = undefined;
  }

  /** The sentences in use; assign some or all of them to replace them. @returns {Strings} */
  get strings() {
    return this._strings;
  }

  set strings(/** @type {Partial<Strings>} */ replaced) {
    this._strings = { ...this._strings, ...replaced };
    this._restart();
  }

  /** The messages as they are kept in this browser. */
  get messages() {
    return structuredClone(this._store?.messages ?? []);
  }

  connectedCallback() {
    if (this._shell) return;
    const { shadowRoot, _strings: strings } = this;
    const shell = new Shell(/** @type {ShadowRoot} */ (shadowRoot), strings, {
      toggled: () => (shell.isOpen ? this.close() : this.open()),
      ended: () => this.endChat(),
      startedOver: () => this.startOver(),
    });
    this._shell = shell;
    shell.showTitle(this.getAttribute('widget-title') ?? strings.title);
    shell.showHandoff(null, false);
    shell.show(this._opensAtOnce(), this._unread);
    this._connect(shell, strings);
  }

  disconnectedCallback() {
    // Moved within the page, it goes on; removed, it ends.
    queueMicrotask(() => {
      if (!this.isConnected) this._stop();
    });
  }

  /** @param {string} name @param {string | null} before @param {string | null} now */
  attributeChangedCallback(name, before, now) {
    if (!this._shell || before === now) return;
    if (name === 'widget-title') this._shell.showTitle(now ?? this._strings.title);
    else if (name === 'token') this._conversation?.reconnect();
    else this._restart();
  }

  open() {
    if (!this._shell || this._shell.isOpen) return;
    this._unread = 0;
    this._remember(true);
    this._view?.scrollToBottom();
    this._view?.focus();
    this._tell('open');
  }

  close() {
    if (!this._shell?.isOpen) return;
    this._remember(false);
    this._shell.launcher.focus();
    this._tell('close');
  }

  /** Leave the live agent, or the wait for one. */
  endChat() {
    this._leaving = true;
    this._conversation?.end();
    this._shell?.showHandoff(this._handoff, this._leaving);
  }

  /** Forget this conversation and begin another. For a page's sign-out, too. */
  startOver() {
    this._unread = 0;
    this._uploads?.clear();
    this._conversation?.startOver();
    this._shell?.show(this._shell.isOpen, this._unread);
  }

  /** @param {Shell} shell @param {Strings} strings */
  _connect(shell, strings) {
    const fixedId = this.getAttribute('sender-id');
    const url = new URL(this.getAttribute('server-url') ?? '/', document.baseURI).origin;
    const store = new Store(fixedId ? `support-chat:${fixedId}` : 'support-chat', storage('localStorage'));
    const token = () => this.getAttribute('token');
    const about = () => (this.hasAttribute('tell-context') ? describeBrowser() : {});
    const options = { url, fixedId, token, about };
    const conversation = new Conversation(options, store, strings, {
      changed: () => {
        view.sync(store.messages);
        this._stayIfRefused(store);
      },
      arrived: (message) => this._arrived(message),
      status: (status) => shell.showStatus(status),
      handoff: (handoff) => this._handedOff(handoff),
      typing: (typing) => view.showTyping(typing && { name: typing.name ?? this._handoff?.name }),
      offered: (offer) => {
        uploads.offer = offer;
        tray.show(offer);
        view.takesFiles = offer.takes;
        view.sync(store.messages);
      },
    });
    const uploads = new Uploads({ url: () => url, token, session: () => conversation.session }, strings, {
      changed: (list) => tray.sync(list),
      arrived: (file, question) => {
        conversation.sayFile(file, question);
        this._tell('message', { from: 'me', text: file.name });
      },
    });
    const tray = new Tray(shell.panel, strings, {
      chosen: (files, question) => uploads.add(files, question),
      removed: (id) => uploads.remove(id),
      retried: (id) => uploads.retry(id),
    });
    const typing = new TypingNews((on) => conversation.tellTyping(on));
    const view = new View(shell.chat, strings, {
      ready: () => conversation.open(),
      said: (text) => {
        typing.sent();
        conversation.say(text);
        this._tell('message', { from: 'me', text });
      },
      typed: (text) => typing.typed(text),
      chosen: (message, reply) => {
        conversation.choose(message.id, reply);
        this._tell('message', { from: 'me', text: reply.title });
      },
      asked: (question) => tray.open(question),
      retried: (id) => conversation.retry(id),
      repeated: (message) => {
        conversation.sayAgain(message);
        this._tell('message', { from: 'me', text: message.text });
      },
    }, tray);
    view.sync(store.messages);
    this._store = store;
    this._conversation = conversation;
    this._view = view;
    this._typing = typing;
    this._uploads = uploads;
    this._tray = tray;
  }

  _stop() {
    this._typing?.stop();
    this._uploads?.clear();
    this._tray?.stop();
    this._conversation?.close();
    this._shell = this._conversation = this._view = undefined;
    this._handoff = null;
    this._leaving = false;
  }

  _restart() {
    if (!this._shell) return;
    this._stop();
    this.connectedCallback();
  }

  /** @param {Message} message */
  _arrived({ from, text, name }) {
    if (from === 'me') return;
    if (!this._shell?.isOpen) this._unread += 1;
    this._shell?.show(this._shell.isOpen, this._unread);
    this._tell('message', { from, text, name });
  }

  /** @param {Handoff} handoff */
  _handedOff(handoff) {
    const same = handoff?.state === this._handoff?.state;
    this._leaving &&= same && this._store?.messages.findLast(isEndCommand)?.status === 'pending';
    this._handoff = handoff;
    this._shell?.showHandoff(handoff, this._leaving);
  }

  /** The wish to leave did not get through: it can be made again. @param {Store} store */
  _stayIfRefused(store) {
    if (!this._leaving || store.messages.findLast(isEndCommand)?.status !== 'failed') return;
    this._leaving = false;
    this._shell?.showHandoff(this._handoff, this._leaving);
  }

  _opensAtOnce() {
    const left = storage('sessionStorage')?.getItem('support-chat:open');
    return left ? left === 'true' : this.hasAttribute('auto-open');
  }

  /** A reload finds the window as it was left in this tab. @param {boolean} open */
  _remember(open) {
    this._shell?.show(open, this._unread);
    try {
      storage('sessionStorage')?.setItem('support-chat:open', String(open));
    } catch {
      // Full: then the next page load begins as its attributes say.
    }
  }

  /** @param {string} event @param {object} [detail] */
  _tell(event, detail) {
    this.dispatchEvent(new CustomEvent(event, { bubbles: true, composed: true, detail }));
  }
}

/** A browser may forbid storage, and says so by throwing. @param {'localStorage' | 'sessionStorage'} kind */
function storage(kind) {
  try {
    return window[kind];
  } catch {
    return null;
  }
}

if (!customElements.get('support-chat')) customElements.define('support-chat', SupportChat);
