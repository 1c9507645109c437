import { UNLOCK_CHANNELS, UNLOCK_MODES, type UnlockSettings } from '@sallyport/model';
import { checkedWord, invalid } from './checks.ts';

const MAIL_ADDRESS = /^[^\s<>,;:"()[\]\\@]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/;

/** The mail address of an owner for a row: `undefined` and `null` are none. One address, without a name. */
export function checkedOwner(value: string | null | undefined): string | null {
  if (value === undefined || value === null) return null;
  if (!MAIL_ADDRESS.test(value)) throw invalid('owner', 'an owner is one mail address, such as ann@example.com');
  return value;
}

/** What a device type demands, as JSON for a row: `undefined` and `null` are none. */
export function checkedUnlock(value: UnlockSettings | null | undefined): string | null {
  if (value === undefined || value === null) return null;
  const { mode, channels, publishedFlow, allowCodeInReply } = value;
  checkedWord('unlock.mode', mode, UNLOCK_MODES);
  for (const channel of channels ?? []) checkedWord('unlock.channels', channel, UNLOCK_CHANNELS);
  if (channels?.length === 0) throw invalid('unlock.channels', 'a code needs a way to its owner');
  if (allowCodeInReply && !publishedFlow) {
    throw invalid('unlock.allowCodeInReply', 'only the published flow can answer with the code; set publishedFlow too');
  }
  return JSON.stringify({
    mode,
    ...(channels && { channels: UNLOCK_CHANNELS.filter((channel) => channels.includes(channel)) }),
    ...(publishedFlow && { publishedFlow }),
    ...(allowCodeInReply && { allowCodeInReply }),
  });
}
