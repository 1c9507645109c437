import type { Application } from './connect-application.ts';
import type { DeviceName } from './device-name.ts';

/** The id of an application as the published samples use it. */
export interface PublishedId {
  readonly appid: string;
  /** Repeated in every command, so it is known to whoever reads one. */
  readonly uid: string;
}

/**
 * LEGACY. Answers devices that ask for the id of their application (`server_uid_request`), in the published JSON. Resolves when it listens.
 * `type`: only devices of this type.
 */
export async function answerPublishedIds(
  application: Application,
  { uid, appid }: PublishedId,
  { type, now = Date.now }: { readonly type?: string; readonly now?: () => number } = {},
): Promise<void> {
  await application.subscribeEvents(
    { event: 'eid', ...(type === undefined ? {} : { type }) },
    async ({ device, payload }) => {
      const asks = typeof payload === 'object' && payload !== null && 'event' in payload ? payload.event : undefined;
      if (asks !== 'server_uid_request') return;
      await application.sendCommand(device, 'cid', { cmd: 'server_uid_response', uid, appid, time: timeOf(now()) });
    },
  );
}

/** LEGACY. Sends a command in the published JSON, with the id that devices of the samples compare. */
export async function sendPublishedCommand(
  application: Application,
  device: DeviceName,
  content: { readonly cmd?: string; readonly [field: string]: unknown },
  { uid, appid }: PublishedId,
  now: number = Date.now(),
): Promise<void> {
  await application.sendCommand(device, 'cid', { cmd: 'command', ...content, appid, uid, time: timeOf(now) });
}

/** `2018-02-28 09:05:00`, UTC. */
function timeOf(now: number): string {
  return new Date(now).toISOString().slice(0, 19).replace('T', ' ');
}
