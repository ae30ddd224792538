/** For files: on their way above the input, and in messages. Inside deep-chat's own shadow root. */

export const FILE_STYLES = `
.attach { position: absolute; inset-inline-start: 19px; inset-block-end: 15px; z-index: 1; display: grid; place-items: center; width: 36px; height: 36px; padding: 0; border: 0; border-radius: 9px; background: none; color: var(--_muted); cursor: pointer; }
.attach[hidden] { display: none; }
.attach:hover { color: var(--_accent); background: var(--_bubble); }
.attach svg { width: 20px; height: 20px; }
.attach svg, .drop svg, .file svg { fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.attach:not([hidden]) ~ #text-input-container #text-input { padding-inline-start: 46px !important; }

.uploads { display: grid; gap: 6px; box-sizing: border-box; width: 100%; max-height: 190px; margin: 0; padding: 10px 14px; border-top: 1px solid var(--_line); overflow-y: auto; list-style: none; }
.uploads[hidden], .uploads [hidden] { display: none; }
.uploads li { display: flex; align-items: center; gap: 10px; padding: 6px 6px 6px 10px; border: 1px solid var(--_line); border-radius: 10px; font-size: 13.5px; text-align: start; }
.uploads .thumb:empty { display: none; }
.uploads .thumb img { display: block; width: 38px; height: 38px; border-radius: 6px; object-fit: cover; }
.uploads .about { flex: 1; min-width: 0; color: var(--_text); font-size: inherit; }
.uploads .name { display: inline; grid-area: auto; color: inherit; font-size: inherit !important; font-weight: 600; overflow-wrap: anywhere; }
.uploads .size { color: var(--_muted); }
.uploads progress { display: block; width: 100%; height: 5px; margin-top: 4px; accent-color: var(--_accent); }
.uploads .said { display: block; color: var(--_alert); overflow-wrap: anywhere; }
.uploads .said:empty { display: none; }
.once-more { flex: none; min-height: 30px; padding: 2px 11px; border: 1px solid var(--_accent); border-radius: 15px; background: var(--_surface); color: var(--_accent); font: inherit; font-weight: 600; cursor: pointer; }
.drop { flex: none; display: grid; place-items: center; width: 32px; height: 32px; padding: 0; border: 0; border-radius: 8px; background: none; color: var(--_muted); cursor: pointer; }
.drop:hover { background: var(--_bubble); color: var(--_text); }
.drop svg { width: 17px; height: 17px; }

.attached { display: grid; gap: 6px; justify-items: start; max-width: 100%; color: var(--_text); }
.deep-chat-outer-container-role-user .attached { justify-items: end; }
.attached .picture { display: block; width: fit-content; }
.attached .picture img { display: block; width: auto; height: auto; max-width: 250px; max-height: 220px; border: 1px solid var(--_line); border-radius: 12px; }
.file { display: inline-grid; grid-template-columns: 22px minmax(0, 1fr); column-gap: 9px; align-items: center; max-width: 280px; padding: 8px 14px 8px 11px; border: 1px solid var(--_line); border-radius: 12px; background: var(--_surface); color: var(--_text) !important; text-decoration: none !important; text-align: start; }
a.file:hover .file-name { text-decoration: underline; }
.file svg { grid-row: 1 / span 2; width: 22px; height: 22px; color: var(--_accent); }
.file-name { grid-column: 2; font-weight: 600; font-size: 14px; overflow-wrap: anywhere; }
.file .about { grid-column: 2; font-size: 12.5px; }
.file.gone { color: var(--_muted) !important; }
.deep-chat-outer-container-role-user .html-message > .note { text-align: end; }
.attached + .note, .attached + .parts, .parts + .attached { margin-top: 5px; }
`;
