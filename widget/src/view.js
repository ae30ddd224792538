/** Hands the messages to deep-chat, which draws them, and mends what it leaves open. */

import 'deep-chat';
import { BOT_AVATAR, initial } from './avatars.js';
import { drawings, mend } from './drawing.js';
import { discreet, readForm } from './questions.js';
import { FILE_STYLES } from './file-styles.js';
import { RICH_STYLES } from './rich-styles.js';
import { CHAT_STYLES } from './styles.js';

/** @import { DeepChat } from 'deep-chat' */
/** @import { Drawing } from './drawing.js' */
/** @import { Strings } from './strings.js' */
/** @import { Message, Reply } from './wire.js' */

/**
 * @typedef {Object} ViewObserver
 * @property {() => void} ready                                       messages can be drawn
 * @property {(text: string) => void} said                            the requester sent a text
 * @property {(text: string) => void} typed                           what is in the input now
 * @property {(message: Message, reply: Reply) => void} chosen
 * @property {(question: import('./wire.js').Question) => void} asked   a file is to be chosen for a request
 * @property {(id: string) => void} retried                           send the same message again
 * @property {(message: Message) => void} repeated                    say the same as a new message
 */

export class View {
  /**
   * @param {HTMLElement} parent @param {Strings} strings @param {ViewObserver} observer
   * @param {{button: HTMLElement, list: HTMLElement}} tray  shown with the input
   */
  constructor(parent, strings, observer, tray) {
    this._strings = strings;
    this._tray = tray;
    this._observer = observer;
    /** @type {Message[]} */
    this._messages = [];
    /** What deep-chat shows, in its order. @type {{id: string, drawn: string}[]} */
    this._drawn = [];
    /** deep-chat has drawn a bubble of which `_drawn` does not know yet. */
    this._bubbleWaits = false;
    this._ready = false;
    /** Whether the requester can send files; what is drawn follows at the next `sync`. */
    this.takesFiles = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._rendering = undefined;
    /** Whether the end of the log is in sight, and is to stay so. */
    this._follows = true;
    /** @type {ResizeObserver | undefined} */
    this._resized = undefined;
    /** @type {string | null} */
    this._typing = null;
    /** Each person is a role of deep-chat's; the key is who and how they look. @type {Map<string, string>} */
    this._roles = new Map();
    /** @type {Record<string, any>} */
    this._names = { default: { text: strings.assistant }, user: { text: strings.you } };
    /** @type {Record<string, any>} */
    this._avatars = { default: { src: BOT_AVATAR } };
    // deep-chat puts its own function here when it renders.
    this._bubble = { toggle: (/** @type {{role: string} | undefined} */ _) => {} };
    this._chat = this._create(parent);
  }

  /** Show these, with as little drawing anew as possible. @param {Message[]} messages */
  sync(messages) {
    this._messages = messages;
    if (!this._ready) return;
    const wanted = drawings(messages, (message) => this._role(message), this._strings, this.takesFiles);
    if (this._bubbleWaits) this._adopt(wanted[wanted.length - 1]);
    const continues = this._drawn.every(({ id }, index) => wanted[index]?.id === id);
    this._withoutTyping(() => (continues ? this._catchUp(wanted) : this._redraw(wanted)));
    this._finish();
  }

  /** @param {{name?: string} | null} typing */
  showTyping(typing) {
    const avatar = this._messages.findLast(({ from, name }) => from === 'agent' && name === typing?.name)?.avatar;
    this._withoutTyping(() => {
      this._typing = typing && this._role({ from: 'agent', name: typing.name, avatar });
    });
    this._finish();
  }

  focus() {
    const input = this._find('#text-input');
    input?.focus();
    this._chat.focusInput();
  }

  scrollToBottom() {
    this._follows = true;
    this._chat.scrollToBottom();
  }

  /** @param {HTMLElement} parent */
  _create(parent) {
    const chat = /** @type {DeepChat} */ (document.createElement('deep-chat'));
    // Set before it renders: without a font family deep-chat loads one from a third party.
    Object.assign(chat.style, {
      fontFamily: 'inherit', fontSize: 'inherit', width: '100%', height: '100%', display: 'block',
      border: 'none', backgroundColor: 'transparent',
    });
    chat.names = /** @type {any} */ (this._names);
    chat.avatars = /** @type {any} */ (this._avatars);
    chat.displayLoadingBubble = /** @type {any} */ (this._bubble);
    chat.textInput = { placeholder: { text: this._strings.placeholder } };
    chat.auxiliaryStyle = CHAT_STYLES + RICH_STYLES + FILE_STYLES;
    chat.onInput = ({ content, isUser }) => isUser && this._observer.typed(content.text ?? '');
    chat.connect = { websocket: true, handler: (_, signals) => this._rendered(signals) };
    parent.append(chat);
    chat.shadowRoot?.addEventListener('click', (event) => this._clicked(event));
    // A picture takes its room when it has loaded.
    chat.shadowRoot?.addEventListener('load', () => this._follows && chat.scrollToBottom(), true);
    chat.shadowRoot?.addEventListener('submit', (event) => this._answered(event));
    return chat;
  }

  /** deep-chat calls this each time it renders, possibly twice per load, before it draws. @param {any} signals */
  _rendered(signals) {
    signals.newUserMessage.listener = (/** @type {any} */ body) => this._submitted(body);
    signals.onOpen();
    // The rest of the same render comes after this call, and another render may come before that is over.
    clearTimeout(this._rendering);
    this._rendering = setTimeout(() => {
      this._drawn = [];
      this._label();
      const first = !this._ready;
      this._ready = true;
      this._quietly(() => this.sync(this._messages));
      if (first) this._observer.ready();
    });
  }

  /** deep-chat has drawn what the requester typed; `sync` makes the bubble one of ours. @param {any} body */
  _submitted(body) {
    const text = body?.messages?.at(-1)?.text?.trim();
    if (!text) return;
    this._bubbleWaits = true;
    this._observer.said(text);
  }

  /** @param {Event} event */
  _clicked(event) {
    const button = /** @type {HTMLElement} */ (event.target).closest('button');
    const message = this._messages.find(({ id }) => id === button?.dataset.message);
    if (!button || !message) return;
    const reply = message.replies?.[Number(button.dataset.reply)];
    if (button.classList.contains('choose')) {
      if (message.question) this._observer.asked(message.question);
      return;
    }
    if (reply) this._observer.chosen(message, discreet(reply, message.question));
    else if (button.classList.contains('again')) this._observer.repeated(message);
    else this._observer.retried(message.id);
    this.focus();
  }

  /** A form below a question was filled in. @param {Event} event */
  _answered(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const message = this._messages.find(({ id }) => id === form.dataset.message);
    const answer = message && readForm(form, message);
    if (!answer) return;
    this._observer.chosen(message, answer);
    this.focus();
  }

  /** @param {Drawing} drawing  of the bubble that deep-chat has drawn already */
  _adopt({ id, body }) {
    this._bubbleWaits = false;
    // A command typed by hand is no bubble of the requester's: under no id, it makes all be drawn again.
    this._drawn.push({ id: body.role === 'user' ? id : '', drawn: '' });
  }

  _finish() {
    mend(this._chat, this._strings);
    if (this._follows) this._chat.scrollToBottom();
  }

  /** @param {Drawing[]} wanted  what is drawn, and more */
  _catchUp(wanted) {
    wanted.forEach((drawing, index) => {
      const drawn = JSON.stringify(drawing.body);
      const entry = this._drawn[index];
      if (!entry) this._draw(drawing);
      else if (entry.drawn !== drawn) {
        this._update(drawing, index);
        entry.drawn = drawn;
      }
    });
  }

  /** @param {Drawing[]} wanted */
  _redraw(wanted) {
    const before = new Map(this._drawn.map(({ id, drawn }) => [id, drawn]));
    this._chat.clearMessages(false);
    this._drawn = [];
    this._quietly(() => wanted.forEach((drawing) => this._draw(drawing, before.get(drawing.id))));
  }

  /** What was read out before is not read out because it is drawn anew. @param {() => void} draw */
  _quietly(draw) {
    const log = this._find('#messages');
    log?.setAttribute('aria-live', 'off');
    draw();
    setTimeout(() => log?.setAttribute('aria-live', 'polite'), 100);
  }

  /** @param {Drawing} drawing @param {string} [before]  what was drawn of it until now */
  _draw({ id, body }, before) {
    const drawn = JSON.stringify(body);
    this._chat.addMessage(body);
    this._drawn.push({ id, drawn });
    // A failure interrupts the reader when it happens, and not at every reload.
    if (before === undefined || before === drawn) {
      this._find('.outer-message-container:last-child [role=alert]')?.removeAttribute('role');
    }
  }

  /** @param {Drawing} drawing @param {number} index */
  _update({ body }, index) {
    // deep-chat puts a part that is new before the next message, and nowhere if there is none.
    const next = document.createElement('div');
    this._find('.outer-message-container:last-child')?.after(next);
    this._chat.updateMessage(/** @type {any} */ (body), index);
    next.remove();
  }

  /** The typing bubble is deep-chat's last message, and in the way while others change. @param {() => void} change */
  _withoutTyping(change) {
    if (this._ready && this._typing) this._bubble.toggle(undefined);
    change();
    if (this._ready && this._typing) this._bubble.toggle({ role: this._typing });
  }

  /** @param {Pick<Message, 'from' | 'name' | 'avatar'>} person @returns {string} */
  _role({ from, name, avatar }) {
    if (from === 'me') return 'user';
    if (from === 'system') return 'system';
    const key = JSON.stringify([from, name, avatar]);
    const known = this._roles.get(key);
    if (known) return known;
    const role = `${from}-${this._roles.size + 1}`;
    const text = name ?? (from === 'agent' ? this._strings.agent : this._strings.assistant);
    this._roles.set(key, role);
    this._names[role] = { text };
    this._avatars[role] = { src: avatar ?? (from === 'agent' ? initial(text) : BOT_AVATAR) };
    return role;
  }

  _label() {
    const { messages, send } = this._strings;
    const log = this._find('#messages');
    for (const [name, value] of Object.entries({ role: 'log', 'aria-live': 'polite', 'aria-label': messages })) {
      log?.setAttribute(name, value);
    }
    // What scrolls must be reachable with the keyboard.
    log?.setAttribute('tabindex', '0');
    if (log) this._follow(log);
    this._find('#text-input')?.setAttribute('aria-multiline', 'true');
    this._find('.input-button')?.setAttribute('aria-label', send);
    this._find('#input')?.before(this._tray.list);
    this._find('#input')?.prepend(this._tray.button);
  }

  /** Who reads the end of the log keeps seeing it, also when the room for it changes. @param {HTMLElement} log */
  _follow(log) {
    const size = () => `${log.clientWidth} ${log.clientHeight}`;
    let known = size();
    log.addEventListener('scroll', () => {
      // While the window changes its size, it is not the reader who scrolls.
      if (size() === known) this._follows = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    });
    this._resized?.disconnect();
    this._resized = new ResizeObserver(() => {
      known = size();
      if (this._follows) this._chat.scrollToBottom();
    });
    this._resized.observe(log);
  }

  /** @param {string} selector */
  _find(selector) {
    return /** @type {HTMLElement | null} */ (this._chat.shadowRoot?.querySelector(selector));
  }
}
