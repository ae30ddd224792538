/** Both style sheets, adopted as constructed sheets: a page's CSP needs no 'unsafe-inline' for them. */

/** Launcher and panel. Every `--support-chat-*` can be set by the page. */
export const SHELL_STYLES = `
:host {
  --_accent: var(--support-chat-accent, #14532d);
  --_on-accent: var(--support-chat-on-accent, #ffffff);
  --_surface: var(--support-chat-surface, #ffffff);
  --_text: var(--support-chat-text, #1e293b);
  --_muted: var(--support-chat-muted, #526074);
  --_line: var(--support-chat-line, #dbe1e8);
  --_bubble: var(--support-chat-bubble, #eef2f6);
  --_own: var(--support-chat-own-bubble, var(--_accent));
  --_on-own: var(--support-chat-on-own-bubble, var(--_on-accent));
  --_alert: var(--support-chat-alert, #b42318);
  --_radius: var(--support-chat-radius, 14px);
  font: 15px/1.45 var(--support-chat-font, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif);
  color: var(--_text);
  position: fixed;
  inset: auto var(--support-chat-right, 24px) var(--support-chat-bottom, 24px) auto;
  z-index: var(--support-chat-z-index, 1000);
}
:host([hidden]), [hidden] { display: none !important; }
*, ::before, ::after { box-sizing: border-box; }
button { font: inherit; color: inherit; cursor: pointer; }
button:focus-visible { outline: 3px solid var(--support-chat-focus, #2563eb); outline-offset: 2px; }
svg { display: block; width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }

.launcher {
  display: grid; place-items: center; position: relative;
  width: 60px; height: 60px; margin-left: auto; border: 0; border-radius: 50%;
  background: var(--_accent); color: var(--_on-accent);
  box-shadow: 0 6px 20px rgb(15 23 42 / .28);
  transition: transform .15s ease;
}
.launcher:hover { transform: translateY(-2px); }
.launcher svg { width: 28px; height: 28px; }
.launcher .shut, .launcher[aria-expanded=true] .speech { display: none; }
.launcher[aria-expanded=true] .shut { display: block; }
.badge {
  position: absolute; top: -4px; right: -4px; min-width: 24px; height: 24px; padding: 0 6px;
  border: 2px solid var(--_surface); border-radius: 12px; background: var(--_alert); color: #fff;
  font-size: 12px; font-weight: 700; line-height: 20px; text-align: center;
}

.panel {
  display: flex; flex-direction: column; overflow: hidden;
  position: absolute; right: 0; bottom: 76px;
  width: min(var(--support-chat-width, 400px), calc(100vw - 32px));
  height: min(var(--support-chat-height, 620px), calc(100dvh - 124px));
  border: 1px solid var(--_line); border-radius: var(--_radius); background: var(--_surface);
  box-shadow: 0 18px 50px rgb(15 23 42 / .24);
  animation: rise .18s ease-out;
}
@keyframes rise { from { opacity: 0; transform: translateY(12px); } }

header {
  display: flex; align-items: center; gap: 4px; flex: none;
  min-height: 64px; padding: 10px 10px 10px 16px; background: var(--_accent); color: var(--_on-accent);
}
.who { flex: 1; min-width: 0; }
.who h2 { margin: 0; font-size: 16px; font-weight: 650; line-height: 1.3; }
.who p { display: flex; align-items: center; gap: 7px; margin: 1px 0 0; font-size: 13.5px; line-height: 1.35; }
.who h2, .who p span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.dot { flex: none; width: 8px; height: 8px; border-radius: 50%; background: #93c5fd; }
.dot[data-state=waiting] { background: #fcd34d; }
.dot[data-state=live] { background: #4ade80; }
header button {
  flex: none; display: grid; place-items: center; min-width: 40px; height: 40px; padding: 0;
  border: 0; border-radius: 9px; background: none;
}
header button:hover:enabled { background: rgb(255 255 255 / .16); }
header button:focus-visible { outline-color: var(--_on-accent); outline-offset: -3px; }
header .end { height: 34px; margin-right: 4px; padding: 0 12px; border: 1px solid currentColor; font-size: 13.5px; font-weight: 600; white-space: nowrap; }
header button:disabled { cursor: default; opacity: .65; }

.status:not(:empty) {
  display: flex; align-items: center; gap: 9px; flex: none; padding: 8px 16px;
  border-bottom: 1px solid #f1dfa8; background: #fff8e1; color: #6b4a00; font-size: 13.5px;
}
.status:not(:empty)::before {
  content: ""; flex: none; width: 12px; height: 12px; border: 2px solid currentColor; border-right-color: transparent; border-radius: 50%;
  animation: turn .9s linear infinite;
}
.status[data-status=closed]::before { display: none; }
@keyframes turn { to { transform: rotate(1turn); } }

.question { flex: none; padding: 12px 16px; border-bottom: 1px solid var(--_line); background: var(--_bubble); font-size: 14px; }
.question p { margin: 0 0 10px; }
.question button { min-height: 36px; margin-right: 8px; padding: 0 14px; border: 1px solid var(--_accent); border-radius: 9px; background: var(--_surface); color: var(--_accent); font-weight: 600; }
.question .yes { background: var(--_accent); color: var(--_on-accent); }

.chat { flex: 1; min-height: 0; }
.panel.dropping::after {
  content: attr(data-drop); position: absolute; inset: 8px; display: grid; place-items: center; z-index: 2;
  border: 2px dashed var(--_accent); border-radius: var(--_radius); background: color-mix(in srgb, var(--_surface) 88%, transparent);
  color: var(--_accent); font-weight: 600; pointer-events: none;
}

@media (max-width: 480px) {
  :host { right: 16px; bottom: 16px; }
  .panel { position: fixed; inset: 0; width: auto; height: auto; border: 0; border-radius: 0; }
  .launcher[aria-expanded=true] { display: none; }
}
@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { animation: none !important; transition: none !important; }
}
`;

/** Inside deep-chat's own shadow root, by its class names. */
export const CHAT_STYLES = `
#messages { padding: 12px 0 8px; }
#messages:focus-visible { outline: 2px solid #2563eb; outline-offset: -3px; }
.inner-message-container {
  display: grid !important; grid-template-columns: 28px minmax(0, 1fr); column-gap: 8px; width: auto !important; margin: 0 14px !important;
}
.avatar-container, .name { display: none; margin: 0 !important; }
.avatar-container { grid-row: 1 / span 2; grid-column: 1; visibility: visible !important; }
.avatar { width: 28px !important; height: 28px !important; padding: 0 !important; border-radius: 50% !important; object-fit: cover; }
.name { grid-row: 1; grid-column: 2; visibility: visible !important; color: var(--_muted); font-size: 13px !important; font-weight: 600; line-height: 1.4; }
.message-bubble { grid-row: 2; grid-column: 2; box-sizing: border-box; max-width: 88% !important; margin-top: 4px !important; padding: 9px 13px !important; border-radius: 14px !important; line-height: 1.45 !important; overflow-wrap: anywhere; }
.group-start { margin-top: 14px; }
.group-start .avatar-container, .group-start .name { display: block; }
.group-start .message-bubble { border-start-start-radius: 4px !important; }
.ai-message-text { background: var(--_bubble) !important; color: var(--_text) !important; }
.message-bubble p { margin: 0; }
.message-bubble p + p, .message-bubble ul, .message-bubble ol, .message-bubble pre { margin: 8px 0 0; }
.message-bubble ul, .message-bubble ol { padding-inline-start: 20px; }
.message-bubble pre { overflow-x: auto; white-space: pre-wrap; }
.message-bubble h1, .message-bubble h2, .message-bubble h3 { margin: 0; font-size: 1.05em; }
.message-bubble a { color: inherit; text-decoration: underline; text-underline-offset: 2px; }
a:focus-visible, button:focus-visible, .input-button:focus-visible { outline: 3px solid #2563eb; outline-offset: 2px; border-radius: 6px; }

.deep-chat-outer-container-role-user .inner-message-container { display: flex !important; }
.deep-chat-outer-container-role-user .avatar-container, .deep-chat-outer-container-role-user .name { display: none !important; }
.user-message-text { background: var(--_own) !important; color: var(--_on-own) !important; }
.deep-chat-outer-container-role-user .message-bubble { max-width: 80% !important; border-radius: 14px !important; }
.deep-chat-outer-container-role-user.group-start .text-message { border-end-end-radius: 4px !important; }

.deep-chat-outer-container-role-system { margin: 14px 0; }
.deep-chat-outer-container-role-system .inner-message-container { display: block !important; }
.deep-chat-outer-container-role-system .avatar-container, .deep-chat-outer-container-role-system .name { display: none !important; }
.deep-chat-outer-container-role-system .message-bubble {
  width: fit-content; max-width: 92% !important; margin: 0 auto !important; padding: 4px 12px !important;
  border-radius: 10px !important; background: none !important; color: var(--_muted) !important; font-size: 13.5px; text-align: center;
}

.html-message, .deep-chat-outer-container-role-user .html-message { max-width: 100% !important; padding: 0 !important; background: none !important; color: var(--_muted) !important; }
.replies { display: flex; flex-wrap: wrap; gap: 8px; padding: 4px 0; }
.deep-chat-outer-container-role-system .replies { justify-content: center; }
.reply, .retry, .again { border: 1px solid var(--_accent); background: var(--_surface); color: var(--_accent); font: inherit; font-weight: 600; cursor: pointer; }
.reply { min-height: 38px; padding: 6px 15px; border-radius: 19px; text-align: start; }
.reply:hover { background: var(--_accent); color: var(--_on-accent); }
.note { font-size: 12.5px; line-height: 1.4; text-align: end; }
.note.failed { color: var(--_alert); font-size: 13px; }
.retry, .again { margin-inline-start: 6px; min-height: 28px; padding: 2px 10px; border-radius: 14px; font-size: 13px; }
.image-message { padding: 4px !important; }
.image-message img { display: block; max-width: 100%; max-height: 260px; border-radius: 10px; }
.any-file-message a { color: inherit; }
.any-file-message-text { text-decoration: underline; text-underline-offset: 2px; }
.deep-chat-loading-message-dots-container { width: auto !important; padding: 15px 26px 15px 24px !important; }

#input { position: relative; border-top: 1px solid var(--_line); background: var(--_surface); }
#text-input-container { width: calc(100% - 28px) !important; margin: 10px 14px 12px !important; border: 1px solid #7b8898 !important; border-radius: 12px !important; background: var(--_surface) !important; box-shadow: none !important; max-height: 140px !important; }
#text-input-container:focus-within { border-color: var(--_accent) !important; box-shadow: 0 0 0 1px var(--_accent) !important; }
#text-input { padding: 11px 46px 11px 13px !important; color: var(--_text); line-height: 1.4; }
#text-input:empty::before { color: var(--_muted) !important; }
.input-button-container.inside-end, .inside-end { inset-inline-end: 20px !important; inset-block-end: 17px !important; }
.input-button { display: grid !important; place-items: center; width: 36px !important; height: 36px !important; margin: 0 !important; border-radius: 9px !important; }
#submit-icon, .input-button svg { width: 21px !important; height: 21px !important; filter: none !important; color: var(--_accent); }
.disabled-button svg { color: var(--_muted); }

@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { animation: none !important; transition: none !important; }
}
`;
