import { Failure } from '@sallyport/model';
import type { Device } from './connect-device.ts';
import { type DeviceStore, sealedStore } from './sealed-store.ts';

/** Event and command of the published samples; what is meant stands in the JSON. */
const PUBLISHED_EVENT = 'eid';
const PUBLISHED_COMMAND = 'cid';
/** Longest id that is taken. */
const LONGEST = 256;

export interface PublishedIdOptions {
  readonly deviceId: string;
  readonly isUIDValidation: boolean;
  readonly isUIDStorageCapable: boolean;
  /** File of the id; needed if it is to be stored. */
  readonly uidLocation?: string;
  /** Secret of the device under which the file is sealed; needed if it is to be stored. */
  readonly secret?: Uint8Array;
  /** Called for commands that are followed, with the whole JSON. */
  readonly onCommand: (command: PublishedCommand) => void | Promise<void>;
  /** Called for every command, the ignored ones too. */
  readonly onVerdict?: (verdict: PublishedVerdict) => void;
}

/** A command in the published JSON: `{"cmd":"command","text":…,"appid":…,"uid":…}`. */
export interface PublishedCommand {
  readonly cmd: string;
  readonly uid?: string;
  readonly appid?: string;
  readonly [field: string]: unknown;
}

export interface PublishedVerdict {
  /** As the published programs show it. */
  readonly status: 'Valid' | 'Invalid';
  readonly reason?: 'no_id_known' | 'wrong_uid' | 'not_asked' | 'malformed';
  readonly command?: PublishedCommand;
}

/**
 * LEGACY. Guards a device by the published application ID: a text that the device asks for and compares with the `uid` of every command.
 * Whoever has read one command can send more, in any order and again: use signed commands where the device can.
 *
 * Resolves when the device listens. Commands are ignored until an id is known.
 *
 * @throws Failure `key_material_invalid` if the stored id was changed, `invalid_request` if storage was asked for without file or secret
 */
export async function guardByPublishedId(device: Device, options: PublishedIdOptions): Promise<void> {
  const { deviceId, isUIDValidation, onCommand, onVerdict = () => {} } = options;
  const store = isUIDValidation && options.isUIDStorageCapable ? storeOf(options) : undefined;
  const stored = (await store?.read()) as { readonly uid?: unknown } | undefined;
  let uid = isText(stored?.uid) ? stored.uid : undefined;
  let asked = false;

  const judge = (command: PublishedCommand): PublishedVerdict['reason'] => {
    if (!isUIDValidation) return undefined;
    if (uid === undefined) return 'no_id_known';
    return isText(command.uid) && sameText(command.uid, uid) ? undefined : 'wrong_uid';
  };
  const report = async (reason: PublishedVerdict['reason'], command?: PublishedCommand): Promise<void> => {
    onVerdict({
      status: reason === undefined ? 'Valid' : 'Invalid',
      ...(reason && { reason }),
      ...(command && { command }),
    });
    if (reason === undefined) return;
    // On an event of its own: the programs of the samples do not know it and are not disturbed.
    await device.publishEvent('command-ignored', { deviceId, reason, ...(command && { cmd: command.cmd }) });
  };

  const take = async (payload: unknown): Promise<void> => {
    if (!isCommand(payload)) return report('malformed');
    // Codes are the business of who asked for one.
    if (payload.cmd.startsWith('server_otp_')) return;
    if (payload.cmd !== 'server_uid_response') {
      const reason = judge(payload);
      await report(reason, payload);
      if (reason === undefined) await onCommand(payload);
      return;
    }
    if (!isUIDValidation) return;
    if (!isText(payload.uid)) return report('malformed', payload);
    // Only an answer to an own question, and only the first: else anybody could replace the id.
    if (!asked) return report('not_asked', payload);
    asked = false;
    uid = payload.uid;
    await store?.write({ uid, appid: payload.appid });
  };
  // One after the other: a command that follows the answer must find the id on disk.
  let queue: Promise<void> = Promise.resolve();
  await device.onCommand(PUBLISHED_COMMAND, ({ payload }) => {
    const taken = queue.then(() => take(payload));
    queue = taken.catch(() => {});
    return taken;
  });
  if (!isUIDValidation || uid !== undefined) return;
  asked = true;
  await device.publishEvent(PUBLISHED_EVENT, { event: 'server_uid_request', deviceId });
}

function storeOf({ uidLocation, secret }: PublishedIdOptions): DeviceStore {
  if (uidLocation === undefined || secret === undefined) {
    throw new Failure('invalid_request', 'The id is to be stored, and no file or no secret was given.', {
      cure: 'Give uidLocation and secret, or set isUIDStorageCapable to false.',
    });
  }
  return sealedStore({ file: uidLocation, secret });
}

function isCommand(value: unknown): value is PublishedCommand {
  return typeof value === 'object' && value !== null && 'cmd' in value && isText(value.cmd);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST;
}

/** Looks at every character, so that the time tells nothing of where two texts differ. */
function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at % b.length);
  return difference === 0;
}
