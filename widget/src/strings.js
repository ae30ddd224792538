/**
 * Every sentence the element itself shows. Override with the `strings` property of `<support-chat>`.
 * `{name}`, `{count}`, `{limit}` and `{reason}` are filled in.
 */
export const STRINGS = {
  title: 'IT support',
  assistant: 'Assistant',
  agent: 'Live agent',
  you: 'You',

  open: 'Open chat',
  openUnreadOne: 'Open chat, 1 unread message',
  openUnread: 'Open chat, {count} unread messages',
  close: 'Close chat',
  minimise: 'Minimise chat',
  send: 'Send message',
  placeholder: 'Write a message',
  messages: 'Messages',

  talkingToAssistant: 'You are talking to the assistant',
  waiting: 'Waiting for a live agent…',
  talkingTo: '{name} · live agent',
  talkingToSomeone: 'You are talking to a live agent',
  ending: 'Ending the chat…',
  typing: '{name} is typing…',

  endChat: 'End chat',
  endRequested: 'You asked to end the chat.',

  startOver: 'New conversation',
  startOverQuestion: 'Start a new conversation? The messages shown here are removed from this browser.',
  startOverYes: 'Start new',
  startOverNo: 'Keep this one',

  connecting: 'Connecting…',
  reconnecting: 'Reconnecting…',
  refused: 'The chat is not available at the moment. We keep trying.',
  closed: 'The chat is not available at the moment.',
  sessionRefused: 'The earlier conversation cannot be continued. A new one has started.',

  sending: 'Sending…',
  sent: 'Sent',
  unanswered: 'No confirmation yet.',
  failed: 'Not sent.',
  failedBecause: 'Not sent: {reason}',
  retry: 'Try again',
  delivered: 'Delivered',
  undelivered: 'Not delivered',
  sendAgain: 'Send again',

  choose: 'Please choose:',
  answer: 'Send answer',
  table: 'Table',
  openLink: 'Open',
  noUpload: 'Files cannot be sent in this chat.',
  chooseFile: 'Choose a file',
  choosePicture: 'Choose a picture',
  attach: 'Attach a file',
  dropHere: 'Drop the file here',
  uploads: 'Files on their way',
  uploading: 'Sending {name}',
  cancelUpload: 'Remove {name}',
  fileTooLarge: 'Too large. Up to {limit} are possible.',
  fileType: 'This kind of file cannot be sent.',
  fileEmpty: 'This file is empty.',
  fileOffline: 'There is no connection.',
  fileFailed: 'This file could not be sent.',
  fileGone: 'not available any more',
  image: 'Image',
  unsupported: 'This message cannot be shown here.',
};

/** @typedef {typeof STRINGS} Strings */

/**
 * @param {string} sentence
 * @param {Record<string, string | number>} values
 */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, key) => String(values[key] ?? whole));
}
