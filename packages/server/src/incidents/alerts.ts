import {
  type AlertChannelDocument,
  type AlertTestDocument,
  type IncidentDocument,
  type IncidentRule,
  SEVERITIES,
  type Severity,
} from '@sallyport/model';
import type { AlertEvent } from '../events/alert-events.ts';
import type { IncidentEvent } from '../events/incident-events.ts';
import { AlertChannel } from './alert-channel.ts';
import type { AlertWay } from './alert-way.ts';

/** Events of one incident that are told: the first, and the last ones. */
const EVENTS = 5;

export interface AlertsOptions {
  readonly ways: readonly AlertWay[];
  readonly severities: Readonly<Record<IncidentRule, Severity>>;
  readonly find: (id: string) => Promise<IncidentDocument>;
  /** Milliseconds for which a way is left alone that has failed several times in a row. */
  readonly pause: number;
  readonly emit: (event: AlertEvent) => void;
  readonly now: () => number;
}

/**
 * Tells people and programs about incidents. However much happens, each way carries one letter in its interval at most, with a bounded
 * number of incidents in it.
 */
export class Alerts {
  readonly #options: AlertsOptions;
  readonly #channels: readonly AlertChannel[];

  constructor(options: AlertsOptions) {
    const { ways, find, severities } = options;
    const incidentsOf = async (ids: readonly string[]) => {
      const found = await Promise.all(ids.map((id) => find(id).catch(() => undefined)));
      return found.flatMap((one) => {
        if (!one) return [];
        const [first, ...rest] = one.timeline;
        const timeline = first ? [first, ...rest.slice(-(EVENTS - 1))] : [];
        return [{ ...one, timeline, severity: severities[one.rule] }];
      });
    };
    this.#options = options;
    this.#channels = ways.map((way) => new AlertChannel({ ...options, way, incidentsOf }));
  }

  /** Takes in what has become of an incident. What an operator has done is told to nobody: somebody knows. */
  observe({ type, rule, incident, by }: IncidentEvent): void {
    if (by !== 'system' || (type !== 'incident.opened' && type !== 'incident.contained')) return;
    const severity = SEVERITIES.indexOf(this.#options.severities[rule]);
    for (const channel of this.#channels) {
      if (severity >= SEVERITIES.indexOf(channel.severity)) channel.tell(incident);
    }
  }

  describe(): readonly AlertChannelDocument[] {
    return this.#channels.map((channel) => channel.describe());
  }

  /** Sends a letter without incidents by every way, and says what became of each. */
  test(): Promise<readonly AlertTestDocument[]> {
    return Promise.all(this.#channels.map((channel) => channel.test()));
  }

  /** What waits is sent once more, unless its way fails. */
  async close(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.close()));
  }
}
