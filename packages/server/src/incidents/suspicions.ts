import type { IncidentResponse, IncidentRule, Refusal } from '@sallyport/model';
import { networkOf } from '@sallyport/policy';
import type { ServerEvent } from '../events/events.ts';
import { keep } from './keep.ts';
import { ofCommand, ofFirmware } from './reported.ts';
import type { Suspicion } from './suspicion.ts';

/** How often within what time (milliseconds) an event of the rule is one too many, and what it then calls for. */
export const RULES: Readonly<
  Record<IncidentRule, { readonly times: number; readonly within: number; readonly calls: IncidentResponse }>
> = {
  guessing: { times: 1, within: 60_000, calls: 'note' },
  'names-another': { times: 5, within: 60_000, calls: 'quarantine' },
  'revoked-credential': { times: 1, within: 60_000, calls: 'note' },
  'two-places': { times: 2, within: 600_000, calls: 'read-only' },
  'takeover-war': { times: 8, within: 60_000, calls: 'throttle' },
  flapping: { times: 30, within: 60_000, calls: 'throttle' },
  flood: { times: 1, within: 60_000, calls: 'throttle' },
  denials: { times: 50, within: 60_000, calls: 'read-only' },
  // Whom it is about is the one that was attacked.
  'refused-command': { times: 3, within: 600_000, calls: 'note' },
  'replayed-command': { times: 1, within: 60_000, calls: 'read-only' },
  'refused-firmware': { times: 1, within: 60_000, calls: 'quarantine' },
  'unusual-rate': { times: 3, within: 1_200_000, calls: 'throttle' },
  'unusual-size': { times: 3, within: 1_200_000, calls: 'throttle' },
  'new-country': { times: 1, within: 60_000, calls: 'read-only' },
};

/** Subjects that are watched at once; who was seen longest ago goes first. */
const WATCHED = 20_000;
const CLIENT_ID_REUSED = 288;

/** Looks at the stream of events and tells what is suspicious. Decides nothing. Bounded: a stranger's inventions push out each other. */
export class Suspicions {
  readonly #now: () => number;
  readonly #seen = new Map<string, number[]>();
  /** Network of the last connection of a device. */
  readonly #lastPlace = new Map<string, string>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What an event gives rise to, once it has happened too often. */
  observe(event: ServerEvent): readonly Suspicion[] {
    return this.weigh(candidates(event, this.#lastPlace));
  }

  /** Those of several that have happened too often by now. */
  weigh(found: readonly Suspicion[]): readonly Suspicion[] {
    return found.filter((one) => this.#tooOften(one));
  }

  #tooOften({ rule, subject }: Suspicion): boolean {
    const { times, within } = RULES[rule];
    const key = `${rule} ${subject}`;
    const now = this.#now();
    const recent = (this.#seen.get(key) ?? []).filter((at) => now - at < within);
    recent.push(now);
    keep(this.#seen, key, recent.slice(-times), WATCHED);
    return recent.length >= times;
  }
}

function candidates(event: ServerEvent, lastPlace: Map<string, string>): Suspicion[] {
  switch (event.type) {
    case 'guessing.blocked': {
      const whom = event.claim === undefined ? '' : ` in the name of ${event.claim}`;
      const text = `${event.failures} wrong attempts from ${event.address}${whom}.`;
      return [{ rule: 'guessing', subject: `address:${event.network}`, text }];
    }
    case 'session.refused': {
      const { reason, address, clientId, ticket } = event.refusal;
      if (reason !== 'credential_revoked' && reason !== 'certificate_revoked') return [];
      // Who has the revoked credential is not who has the new one: the address is suspected, not the name.
      const text = `A revoked credential of ${clip(clientId ?? 'somebody')} was shown from ${address ?? 'somewhere'}.`;
      return [{ rule: 'revoked-credential', subject: `address:${networkOf(address ?? '')}`, text, ticket }];
    }
    case 'message.denied':
    case 'subscription.denied':
      return denied(event.refusal);
    case 'session.slowed':
      return proven(event.refusal, 'flood', 'It sends faster than it may.');
    case 'session.opened': {
      const { principal, organisation, transport } = event;
      // An application has many instances, and connects as often as it likes.
      if (!principal.startsWith('device:')) return [];
      keep(lastPlace, principal, networkOf(transport.remoteAddress), WATCHED);
      const text = `It connected from ${transport.remoteAddress}.`;
      return [{ rule: 'flapping', subject: principal, organisation, text }];
    }
    case 'session.closed': {
      if (event.closeCode !== CLIENT_ID_REUSED) return [];
      const { principal, organisation, transport } = event;
      const name = { subject: principal, organisation };
      const text = 'Another connection with its client id pushed it out.';
      const found: Suspicion[] = [{ rule: 'takeover-war', ...name, text }];
      const place = lastPlace.get(principal);
      const before = networkOf(transport.remoteAddress);
      if (place !== undefined && place !== before) {
        found.push({ rule: 'two-places', ...name, text: `It was connected from ${before} and from ${place} at once.` });
      }
      return found;
    }
    case 'command.refused':
      return ofCommand(event);
    case 'firmware.boot':
    case 'firmware.refused':
      return ofFirmware(event);
    default:
      return [];
  }
}

function denied(refusal: Refusal): Suspicion[] {
  const found = proven(refusal, 'denials', `It was denied ${refusal.action} on ${clip(refusal.resource)}.`);
  const own = /^device:[^/]+\/([^/]+)\/([^/]+)$/.exec(refusal.principal ?? '');
  const named = /^iot-2\/type\/([^/ )]+)\/id\/([^/ )]+)\//.exec(refusal.resource ?? '');
  if (own && named && (own[1] !== named[1] || own[2] !== named[2])) {
    const text = `It named another device: ${refusal.action} on ${clip(refusal.resource)}.`;
    found.push(...proven(refusal, 'names-another', text));
  }
  return found;
}

/** Only a principal that has proven who it is can be suspected. */
function proven({ principal, organisation, ticket }: Refusal, rule: IncidentRule, text: string): Suspicion[] {
  if (principal === undefined) return [];
  return [{ rule, subject: principal, text, ticket, ...(organisation === undefined ? {} : { organisation }) }];
}

function clip(text = ''): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
