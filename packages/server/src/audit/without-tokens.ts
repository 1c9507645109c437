/** `op-ID-SECRET`, as operators' tokens are issued. */
const OPERATOR_TOKEN = /(?<![A-Za-z0-9])(op-[A-Za-z0-9_.-]{1,36}-)[0-9a-hjkmnp-tv-z]{32}(?![A-Za-z0-9])/g;
/** 24 letters and digits of both cases, as tokens of devices and applications are issued. */
const ISSUED_TOKEN =
  /(?<![A-Za-z0-9])(?=[A-Za-z0-9]{0,23}[a-z])(?=[A-Za-z0-9]{0,23}[A-Z])[A-Za-z0-9]{24}(?![A-Za-z0-9])/g;

/** Without such a run of letters and digits there is neither. */
const LONG_WORD = /[A-Za-z0-9]{24}/;

/**
 * The text with everything left out that has the form of a token as the server issues them. Clients put tokens into client ids,
 * user names and topics by mistake, and what is refused is kept for people to read.
 */
export function withoutTokens(text: string): string {
  if (text.length < 24 || !LONG_WORD.test(text)) return text;
  return text
    .replace(OPERATOR_TOKEN, '$1…')
    .replace(ISSUED_TOKEN, (token) => `${token.slice(0, 2)}… (a token, not shown)`);
}
