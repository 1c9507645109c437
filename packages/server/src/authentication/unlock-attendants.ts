import { type Principal, UNLOCK_COMMAND, UNLOCK_REQUEST, UNLOCK_RESPONSE, type UnlockStatus } from '@sallyport/model';
import type { ServerEvent } from '../events/events.ts';
import { publishedUnlock } from './published-unlock.ts';
import type { UnlockDesk } from './unlock-desk.ts';
import { codeIn, type HeardMessage, jsonObject } from './unlock-message.ts';

export interface UnlockAttendantOptions {
  readonly desk: Pick<UnlockDesk, 'request' | 'respond'>;
  /** Sends to this one session, if it is subscribed. The topic is the full one. */
  readonly tell: (session: HeardMessage, topic: string, payload: string) => void;
  readonly emit: (event: ServerEvent) => void;
  readonly now: () => number;
}

type Attendant = (heard: HeardMessage) => 'taken' | 'passed' | 'refused';

/** Listens to the unlock topics of each device and gateway: what comes there is for the server, and nobody else gets it. */
export function unlockAttendants({ desk, tell, emit, now }: UnlockAttendantOptions) {
  const attempt = (work: Promise<void>): 'taken' => {
    work.catch((error: unknown) => emit({ type: 'defect', where: 'one-time code', problem: String(error) }));
    return 'taken';
  };

  return (topic: string, principal: Principal): Attendant | undefined => {
    if (principal.kind !== 'device' && principal.kind !== 'gateway') return undefined;
    const own = `iot-2/type/${principal.type}/id/${principal.id}`;
    if (!topic.startsWith(own)) return undefined;
    const told = (heard: HeardMessage) => (status: UnlockStatus) =>
      tell(heard, `${own}/cmd/${UNLOCK_COMMAND}/fmt/json`, JSON.stringify(status));
    switch (topic.slice(own.length)) {
      case `/evt/${UNLOCK_REQUEST}/fmt/json`:
        return (heard) => attempt(desk.request(heard, told(heard)));
      case `/evt/${UNLOCK_RESPONSE}/fmt/json`:
        return (heard) => attempt(desk.respond(heard, codeIn(jsonObject(heard.payload).code), told(heard)));
      case '/evt/eid/fmt/json':
        return publishedUnlock({
          desk,
          attempt,
          now,
          tell: (heard, document) => tell(heard, `${own}/cmd/cid/fmt/json`, JSON.stringify(document)),
        });
      default:
        return undefined;
    }
  };
}
