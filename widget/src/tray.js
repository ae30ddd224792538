/** The way files go in: a button, dropping, pasting; and a list of those that are under way. */

import { fill } from './strings.js';
import { size } from './uploads.js';

/** @import { Strings } from './strings.js' */
/** @import { Offer, Upload } from './uploads.js' */

const CLIP =
  'M21 11.500 12.500 20a5.500 5.500 0 0 1-7.800-7.800l9-9a3.700 3.700 0 0 1 5.200 5.200l-8.800 8.800a1.800 1.800 0 0 1-2.600-2.600l8-8';
const THUMB = 88; // pixels
/** Ends of names that belong to texts, for file dialogs that do not know it. */
const TEXT_ENDS = '.txt,.log,.csv,.json,.md,.ini,.conf,.yml,.yaml';

/**
 * @typedef {Object} TrayObserver
 * @property {(files: Iterable<File>, question?: string) => void} chosen
 * @property {(id: string) => void} removed
 * @property {(id: string) => void} retried
 */

export class Tray {
  /** @param {HTMLElement} panel  where files may be dropped and pasted @param {Strings} strings @param {TrayObserver} observer */
  constructor(panel, strings, observer) {
    this._strings = strings;
    this._observer = observer;
    /** @type {Offer} */
    this._offer = { takes: false, types: [], limit: 0 };
    /** @type {string | undefined} */
    this._question = undefined;
    /** What is drawn, by upload. @type {Map<string, HTMLElement>} */
    this._rows = new Map();
    this.button = this._makeButton();
    this.list = this._makeList();
    this._input = this._makeInput();
    this._listening = new AbortController();
    this._listen(panel);
  }

  /** @param {Offer} offer */
  show(offer) {
    this._offer = offer;
    this.button.hidden = !offer.takes;
    this._input.accept = accepted(offer.types);
  }

  /** Let the requester choose files. @param {import('./wire.js').Question} [question] */
  open(question) {
    this._question = question?.id;
    this._input.accept = question?.pictures
      ? this._offer.types.filter((type) => type.startsWith('image/')).join(',')
      : accepted(this._offer.types);
    this._input.multiple = question?.count !== 1;
    this._input.value = '';
    this._input.click();
  }

  /** @param {Upload[]} uploads */
  sync(uploads) {
    const held = this._hasFocus();
    for (const [id, row] of this._rows) {
      if (uploads.some((upload) => upload.id === id)) continue;
      row.remove();
      this._rows.delete(id);
    }
    for (const upload of uploads) this._draw(upload);
    this.list.hidden = !uploads.length;
    if (held && !this._hasFocus()) this.button.focus();
  }

  _hasFocus() {
    const root = this.list.getRootNode();
    return root instanceof ShadowRoot && this.list.contains(root.activeElement);
  }

  stop() {
    this._listening.abort();
  }

  _makeButton() {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'attach';
    button.hidden = true;
    button.title = this._strings.attach;
    button.setAttribute('aria-label', this._strings.attach);
    button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${CLIP}"/></svg>`;
    button.addEventListener('click', () => this.open());
    return button;
  }

  _makeList() {
    const list = document.createElement('ul');
    list.className = 'uploads';
    list.hidden = true;
    list.setAttribute('aria-label', this._strings.uploads);
    return list;
  }

  _makeInput() {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.addEventListener('change', () => this._observer.chosen(input.files ?? [], this._question));
    return input;
  }

  /** @param {HTMLElement} panel */
  _listen(panel) {
    const { signal } = this._listening;
    panel.addEventListener('dragover', (event) => {
      if (!this._offer.takes || !event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      panel.classList.add('dropping');
    }, { signal });
    panel.addEventListener('dragleave', ({ relatedTarget }) => {
      if (!panel.contains(/** @type {Node | null} */ (relatedTarget))) panel.classList.remove('dropping');
    }, { signal });
    panel.addEventListener('drop', (event) => {
      panel.classList.remove('dropping');
      this._take(event, event.dataTransfer?.files);
    }, { signal });
    // Before the input sees it, which would insert a picture.
    panel.addEventListener('paste', (event) => this._take(event, event.clipboardData?.files), { capture: true, signal });
  }

  /** @param {Event} event @param {FileList | undefined} files */
  _take(event, files) {
    if (!this._offer.takes || !files?.length) return;
    event.preventDefault();
    event.stopPropagation();
    this._observer.chosen(files);
  }

  /** @param {Upload} upload */
  _draw(upload) {
    const row = this._rows.get(upload.id) ?? this._makeRow(upload);
    const { progress, said, retry } = parts(row);
    const failed = upload.state === 'failed';
    row.classList.toggle('failed', failed);
    progress.hidden = failed;
    progress.value = upload.part;
    const text = failed ? (upload.reason ?? '') : '';
    if (said.textContent !== text) said.textContent = text;
    if (failed) said.setAttribute('role', 'alert');
    else said.removeAttribute('role');
    retry.hidden = !(failed && upload.again);
  }

  /** @param {Upload} upload */
  _makeRow({ id, file }) {
    const { cancelUpload, retry: tryAgain, uploading } = this._strings;
    const { name } = file;
    const row = document.createElement('li');
    row.innerHTML =
      '<span class="thumb" aria-hidden="true"></span><span class="about"><span class="name"></span> ' +
      '<span class="size"></span><progress max="1"></progress><span class="said"></span></span>' +
      '<button type="button" class="once-more" hidden></button>' +
      '<button type="button" class="drop"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="m6 6 12 12M18 6 6 18"/></svg></button>';
    const { progress, retry: again } = parts(row);
    const drop = find(row, '.drop');
    find(row, '.name').textContent = name;
    find(row, '.size').textContent = size(file.size);
    progress.setAttribute('aria-label', fill(uploading, { name }));
    again.textContent = tryAgain;
    again.addEventListener('click', () => this._observer.retried(id));
    drop.setAttribute('aria-label', fill(cancelUpload, { name }));
    drop.addEventListener('click', () => this._observer.removed(id));
    thumbnail(file).then((source) => source && show(find(row, '.thumb'), source));
    this._rows.set(id, row);
    this.list.append(row);
    return row;
  }
}

/** @param {string[]} types */
function accepted(types) {
  return [...types, ...(types.includes('text/plain') ? [TEXT_ENDS] : [])].join(',');
}

/** @param {HTMLElement} row */
function parts(row) {
  return {
    progress: /** @type {HTMLProgressElement} */ (find(row, 'progress')),
    said: find(row, '.said'),
    retry: find(row, '.once-more'),
  };
}

/** @param {HTMLElement} root @param {string} selector @returns {HTMLElement} */
function find(root, selector) {
  return /** @type {HTMLElement} */ (root.querySelector(selector));
}

/** @param {HTMLElement} place @param {string} source */
function show(place, source) {
  const image = document.createElement('img');
  image.src = source;
  image.alt = '';
  place.append(image);
}

/**
 * A small picture of a picture, as a `data:` address, which every page's policy for avatars allows.
 *
 * @param {File} file
 */
async function thumbnail(file) {
  if (!/^image\/(png|jpeg|gif|webp)$/.test(file.type)) return null;
  try {
    const bitmap = await createImageBitmap(file, { resizeHeight: THUMB, resizeQuality: 'medium' });
    const canvas = document.createElement('canvas');
    canvas.width = Math.min(bitmap.width, THUMB);
    canvas.height = bitmap.height;
    canvas.getContext('2d')?.drawImage(bitmap, (canvas.width - bitmap.width) / 2, 0);
    bitmap.close();
    return canvas.toDataURL('image/jpeg', 0.7);
  } catch {
    return null; // the server will say what is wrong with it
  }
}
