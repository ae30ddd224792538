/** Launcher and panel around the chat: what deep-chat does not have. */

import { fill } from './strings.js';
import { SHELL_STYLES } from './styles.js';

/** @import { Strings } from './strings.js' */
/** @import { Status } from './connection.js' */

/**
 * @typedef {Object} ShellObserver
 * @property {() => void} toggled
 * @property {() => void} ended       the requester wants to leave the live agent
 * @property {() => void} startedOver
 *
 * @typedef {{state: string, name?: string} | null} Handoff
 */

const WAITING = ['requested', 'queued'];
const LEAVABLE = [...WAITING, 'live'];

const MARKUP = `
<button type="button" class="launcher" aria-expanded="false" aria-controls="panel">
  <svg class="speech" viewBox="0 0 24 24" aria-hidden="true"><path d="M21 12a8 8 0 0 1-8 8H4l1.600-3.200A8 8 0 1 1 21 12zM9 10.500h8M9 14h5"/></svg>
  <svg class="shut" viewBox="0 0 24 24" aria-hidden="true"><path d="m6 9 6 6 6-6"/></svg>
  <span class="badge" aria-hidden="true" hidden></span>
</button>
<section id="panel" class="panel" role="dialog" aria-labelledby="title" hidden>
  <header>
    <div class="who">
      <h2 id="title"></h2>
      <p><i class="dot" aria-hidden="true"></i><span class="partner" aria-live="polite"></span></p>
    </div>
    <button type="button" class="end" hidden></button>
    <button type="button" class="over"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 5H6a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-6M17.500 3.500a2.100 2.100 0 0 1 3 3L12.500 14.500 9 15.500l1-3.500z"/></svg></button>
    <button type="button" class="minimise"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 12h12"/></svg></button>
  </header>
  <div class="status" role="status"></div>
  <div class="question" role="group" aria-labelledby="question" hidden>
    <p id="question"></p>
    <button type="button" class="yes"></button><button type="button" class="no"></button>
  </div>
  <div class="chat"></div>
</section>`;

export class Shell {
  /** @param {ShadowRoot} root @param {Strings} strings @param {ShellObserver} observer */
  constructor(root, strings, observer) {
    this._root = root;
    this._strings = strings;
    root.innerHTML = MARKUP;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(SHELL_STYLES);
    root.adoptedStyleSheets = [sheet];

    this.panel = this._find('.panel');
    this.chat = this._find('.chat');
    this.launcher = /** @type {HTMLButtonElement} */ (this._find('.launcher'));
    this._end = /** @type {HTMLButtonElement} */ (this._find('.end'));
    this._over = /** @type {HTMLButtonElement} */ (this._find('.over'));
    this._question = this._find('.question');
    this._fillIn();

    this.launcher.addEventListener('click', observer.toggled);
    this._find('.minimise').addEventListener('click', observer.toggled);
    this._end.addEventListener('click', observer.ended);
    this._over.addEventListener('click', () => this._ask(this._question.hidden));
    this._find('.no').addEventListener('click', () => this._ask(false));
    this._find('.yes').addEventListener('click', () => {
      this._ask(false);
      observer.startedOver();
    });
    this.panel.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.isComposing) return;
      event.stopPropagation();
      if (this._question.hidden) observer.toggled();
      else this._ask(false);
    });
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  /** @param {boolean} open @param {number} unread */
  show(open, unread) {
    const { close, open: closed, openUnread, openUnreadOne } = this._strings;
    const label = unread === 0 ? closed : fill(unread === 1 ? openUnreadOne : openUnread, { count: unread });
    this.panel.hidden = !open;
    this.launcher.setAttribute('aria-expanded', String(open));
    this.launcher.setAttribute('aria-label', open ? close : label);
    const badge = this._find('.badge');
    badge.hidden = open || unread === 0;
    badge.textContent = unread > 99 ? '99+' : String(unread);
  }

  /** @param {string} title */
  showTitle(title) {
    this._find('#title').textContent = title;
  }

  /** @param {Status} status */
  showStatus(status) {
    const { closed, connecting, reconnecting, refused } = this._strings;
    const line = this._find('.status');
    line.textContent = { online: '', closed, connecting, reconnecting, refused }[status];
    line.dataset.status = status;
  }

  /** @param {Handoff} handoff @param {boolean} leaving  the requester has asked to leave */
  showHandoff(handoff, leaving) {
    const state = handoff?.state ?? '';
    this._find('.partner').textContent = this._partner(handoff);
    this._find('.dot').dataset.state = state === 'live' ? state : WAITING.includes(state) ? 'waiting' : 'assistant';
    // While a person is waiting or talking there is one way out: to end the chat.
    const held = LEAVABLE.includes(state) || state === 'ending';
    this._over.hidden = held;
    const focused = this._root.activeElement;
    this._end.hidden = !LEAVABLE.includes(state);
    this._end.disabled = leaving;
    if (held) this._question.hidden = true;
    if (focused && this._gone(focused)) this._find('.minimise').focus();
  }

  /** Whether what has the focus cannot keep it. @param {Element} element */
  _gone(element) {
    if (element === this._end) return this._end.hidden || this._end.disabled;
    if (element === this._over) return this._over.hidden;
    return this._question.hidden && this._question.contains(element);
  }

  /** @param {Handoff} handoff */
  _partner(handoff) {
    const { ending, talkingTo, talkingToAssistant, talkingToSomeone, waiting } = this._strings;
    const { state = '', name } = handoff ?? {};
    if (WAITING.includes(state)) return waiting;
    if (state === 'live') return name ? fill(talkingTo, { name }) : talkingToSomeone;
    return state === 'ending' ? ending : talkingToAssistant;
  }

  /** @param {boolean} asking */
  _ask(asking) {
    this._question.hidden = !asking;
    if (asking) this._find('.no').focus();
    else this._over.focus();
  }

  _fillIn() {
    const { endChat, minimise, startOver, startOverNo, startOverQuestion, startOverYes } = this._strings;
    for (const [selector, text] of [
      ['.end', endChat], ['#question', startOverQuestion], ['.yes', startOverYes], ['.no', startOverNo],
    ]) {
      this._find(selector).textContent = text;
    }
    this.panel.dataset.drop = this._strings.dropHere;
    for (const [selector, label] of [['.over', startOver], ['.minimise', minimise]]) {
      this._find(selector).setAttribute('aria-label', label);
      this._find(selector).title = label;
    }
  }

  /** @param {string} selector @returns {HTMLElement} */
  _find(selector) {
    return /** @type {HTMLElement} */ (this._root.querySelector(selector));
  }
}
