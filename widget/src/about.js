/** What this browser tells of itself, for the live agent; see docs/webchat-protocol.md, user_uttered. */

/** @returns {{time_zone: string, language: string, device: string, page: string}} */
export function describeBrowser() {
  return {
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    language: navigator.language,
    device: window.matchMedia('(pointer: coarse)').matches ? 'mobile' : 'desktop',
    page: window.location.origin + window.location.pathname,
  };
}
