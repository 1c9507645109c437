import type { SendMail } from '../outbound/mail-server.ts';
import type { CodeLetter, DeliverCode } from './code-delivery.ts';

/** Sends codes to the mail addresses of owners. */
export function mailCode({ send, now }: { readonly send: SendMail; readonly now: () => number }): DeliverCode {
  return async (letter) => {
    if (letter.owner === undefined)
      throw new Error('Neither the device nor its type has an owner with a mail address.');
    await send({ to: [letter.owner], subject: `Code for ${nameOf(letter)}`, text: textOf(letter, now()) });
  };
}

function nameOf({ principal }: CodeLetter): string {
  return principal.replace(/^[a-z]+:[^/]*\//, '');
}

function textOf(letter: CodeLetter, now: number): string {
  const minutes = Math.max(1, Math.round((letter.expiresAt - now) / 60_000));
  return [
    `${letter.code} is the code for ${nameOf(letter)} (${letter.principal}).`,
    '',
    `Enter it at the device within ${minutes} minute${minutes === 1 ? '' : 's'}. It is good once, for the connection that the device has now.`,
    `The device came from ${letter.address}.`,
    '',
    'If you are not at the device, somebody else is: tell nobody the code.',
    '',
  ].join('\n');
}
