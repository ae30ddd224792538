/** Pictures for those who bring none, as data addresses: nothing is fetched. */

const COLOURS = ['#0f766e', '#1d4ed8', '#7c3aed', '#be185d', '#b45309', '#166534'];

export const BOT_AVATAR = picture(
  '#475569',
  '<g fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round">' +
    '<rect x="8.5" y="13" width="15" height="10.5" rx="3"/><path d="M16 13V9M5.5 17v3M26.500 17v3"/></g>' +
    '<g fill="#fff"><circle cx="16" cy="8" r="1.8"/><circle cx="13" cy="18" r="1.5"/><circle cx="19" cy="18" r="1.5"/></g>',
);

/** A disc with the first letter of a name. @param {string} name */
export function initial(name) {
  const letter = (Array.from(name.trim())[0] ?? '?').toUpperCase();
  const sum = Array.from(name).reduce((total, char) => total + (char.codePointAt(0) ?? 0), 0);
  const text = `&#${letter.codePointAt(0)};`;
  return picture(
    COLOURS[sum % COLOURS.length],
    `<text x="16" y="21.5" text-anchor="middle" font-family="sans-serif" font-size="15" fill="#fff">${text}</text>`,
  );
}

/** @param {string} colour @param {string} content */
function picture(colour, content) {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">' +
    `<circle cx="16" cy="16" r="16" fill="${colour}"/>${content}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
