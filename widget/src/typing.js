/** When the server hears that the requester types: not at each key, and not for ever. */

const AT_MOST_EVERY_MS = 3000;
const SILENCE_MS = 4000;

export class TypingNews {
  /** @param {(on: boolean) => void} tell */
  constructor(tell) {
    this._tell = tell;
    this._on = false;
    this._toldAt = -Infinity;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._silence = undefined;
  }

  /** @param {string} text  what is in the input now */
  typed(text) {
    if (!text.trim()) {
      this.sent();
      return;
    }
    if (performance.now() - this._toldAt >= AT_MOST_EVERY_MS) {
      this._toldAt = performance.now();
      this._on = true;
      this._tell(true);
    }
    clearTimeout(this._silence);
    this._silence = setTimeout(() => this.sent(), SILENCE_MS);
  }

  /** Nothing is being typed any more. */
  sent() {
    this.stop();
    if (this._on) this._tell(false);
    this._on = false;
  }

  stop() {
    clearTimeout(this._silence);
  }
}
