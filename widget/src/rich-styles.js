/** For parts and questions, inside deep-chat's own shadow root. */

export const RICH_STYLES = `
.parts *, .ask *, .tile { box-sizing: border-box; }
.parts { display: grid; grid-template-columns: minmax(0, 1fr); gap: 6px; justify-items: start; color: var(--_text); }
.parts > * { max-width: 100%; margin: 0; }
.part, .card, .table { border-radius: 14px; background: var(--_bubble); }
.part { padding: 9px 13px; overflow-wrap: anywhere; }
.parts a { color: inherit; text-decoration: underline; text-underline-offset: 2px; overflow-wrap: anywhere; }
.part .heading { margin: 0 0 4px; font-weight: 600; }
.markup p, .markup ul, .markup ol, .markup pre, .markup blockquote { margin: 0 0 8px; }
.markup > :last-child { margin-bottom: 0; }
.markup ul, .markup ol { padding-inline-start: 20px; }
.markup pre { overflow-x: auto; white-space: pre-wrap; }
.markup h1, .markup h2, .markup h3, .markup h4, .markup h5, .markup h6 { margin: 0 0 4px; font-size: 1.05em; }
.markup blockquote { padding-inline-start: 10px; border-inline-start: 3px solid var(--_muted); }
.markup table, .table table { border-collapse: collapse; font-size: .93em; }
.markup th, .markup td, .table th, .table td { padding: 5px 10px; border-bottom: 1px solid var(--_line); text-align: start; vertical-align: top; }
.markup { overflow-x: auto; }
.table { overflow-x: auto; padding: 4px 3px; }
.table:focus-visible { outline: 3px solid #2563eb; outline-offset: 2px; }
.table th { font-weight: 600; white-space: nowrap; }
.table tbody tr:last-child td { border-bottom: 0; }
.part .links { display: grid; gap: 7px; margin: 0; padding: 0; list-style: none; }
.about { display: block; color: var(--_muted); font-size: .9em; font-weight: 400; }
.picture img { display: block; max-width: 100%; max-height: 260px; min-height: 20px; border-radius: 12px; }
.card { display: grid; gap: 4px; width: 300px; padding: 12px 14px; overflow-wrap: anywhere; }
.card img { display: block; width: 100%; max-height: 180px; margin-bottom: 4px; object-fit: contain; border-radius: 8px; }
.card p { margin: 0; }
.card dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 12px; margin: 4px 0 0; font-size: .93em; }
.card dt { color: var(--_muted); }
.card dd { margin: 0; }
.parts + .replies, .parts + .ask { margin-top: 6px; }
.tile { display: grid; gap: 3px; width: 140px; border-radius: 14px; text-align: center; }
.tile img { width: 100%; height: 80px; object-fit: contain; }
.tile:hover .about { color: inherit; }
.ask { display: flex; flex-wrap: wrap; gap: 8px; align-items: end; padding: 4px 0; color: var(--_text); }
.ask > input { min-height: 38px; padding: 5px 10px; border: 1px solid #7b8898; border-radius: 10px; background: var(--_surface); color: inherit; font: inherit; }
.ask input:focus-visible { outline: 3px solid #2563eb; outline-offset: 1px; }
.boxes { display: grid; gap: 2px; width: 100%; padding: 8px 12px; border-radius: 14px; background: var(--_bubble); }
.boxes label { display: flex; gap: 9px; align-items: center; min-height: 30px; cursor: pointer; }
.boxes input { width: 18px; height: 18px; margin: 0; accent-color: var(--_accent); }
.html-message > .note { text-align: start; }
`;
