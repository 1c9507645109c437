import {
  Failure,
  type IncidentDocument,
  type IncidentEntry,
  type IncidentResponse,
  type IncidentRule,
  type Page,
  RESPONSES,
} from '@sallyport/model';
import type { IncidentEvent } from '../events/incident-events.ts';
import type { Containment, IncidentFilter, IncidentStore } from './containment.ts';
import { hardestHeld } from './hardest-held.ts';
import type { Suspicion } from './suspicion.ts';
import { RULES } from './suspicions.ts';

export interface IncidentsOptions {
  readonly store: IncidentStore;
  readonly containment: Containment;
  readonly emit: (event: IncidentEvent) => void;
  readonly now: () => number;
  /** Names an incident. */
  readonly newId: () => string;
  /** Whether anything is done without a person; false is the dry run. */
  readonly act: boolean;
  /** How far each rule may go by itself. */
  readonly limits: Readonly<Record<IncidentRule, IncidentResponse>>;
}

/** Entries of one incident: the first stays, and the last; what lies between is counted. */
const TIMELINE = 100;
/** Incidents that are not resolved; beyond it none is opened, and the events are where they were before: in audit and log. */
const OPEN = 1_000;
/** A busy incident is written at most so often. Milliseconds. */
const SAVED_EVERY = 1_000;

/** Suspicions that became incidents, and what is done about them. */
export class Incidents {
  readonly #options: IncidentsOptions;
  readonly #open = new Map<string, IncidentDocument>();
  /** By rule and subject. */
  readonly #byCause = new Map<string, string>();
  readonly #unsaved = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: IncidentsOptions) {
    this.#options = options;
  }

  /** Puts what an earlier process has left into force again. */
  async load(): Promise<void> {
    for (const incident of await this.#options.store.load()) this.#keep(incident);
    for (const { subject } of this.#open.values()) await this.#hold(subject);
  }

  async close(): Promise<void> {
    await this.#turn;
    clearTimeout(this.#timer);
    await this.#flush();
  }

  /** Opens an incident, or feeds the one that is open, and does what the rule calls for and may do by itself. */
  suspect({ rule, subject, organisation, text, ticket }: Suspicion): void {
    const { now, newId, emit } = this.#options;
    const at = iso(now());
    const entry = { at, text, ...(ticket === undefined ? {} : { ticket }) };
    const known = this.#open.get(this.#byCause.get(causeOf({ rule, subject })) ?? '');
    if (known) {
      this.#note({ ...known, lastAt: at, count: known.count + 1 }, entry);
      return;
    }
    if (this.#open.size >= OPEN) return;
    const opened: IncidentDocument = {
      id: newId(),
      rule,
      subject,
      ...(organisation === undefined ? {} : { organisation }),
      state: 'open',
      openedAt: at,
      lastAt: at,
      count: 1,
      timeline: [],
    };
    this.#keep(opened);
    this.#note(opened, entry);
    emit(eventOf('incident.opened', opened, 'system'));
    this.#respond(opened.id);
  }

  async list(filter: IncidentFilter): Promise<Page<IncidentDocument>> {
    await this.#flush();
    return this.#options.store.list(filter);
  }

  /** Throws `not_found`. */
  async get(id: string): Promise<IncidentDocument> {
    const found = this.#open.get(id) ?? (await this.#options.store.get(id));
    if (found) return found;
    throw new Failure('not_found', `There is no incident ${id}.`, { cure: '`sallyport incident list` shows them.' });
  }

  /** Does something about an incident. Throws `not_found`, `invalid_request` where there is nobody who could be contained. */
  contain(id: string, response: IncidentResponse, by: string): Promise<IncidentDocument> {
    return this.#inTurn(async () => {
      const incident = await this.#demandOpen(id);
      if (incident.subject.startsWith('address:')) {
        throw new Failure('invalid_request', `Incident ${id} is about ${incident.subject}, which is no principal.`, {
          cure: 'Put the address on a black list: `sallyport list add black`.',
        });
      }
      return this.#apply(incident, response, by);
    });
  }

  /** Takes back what was done. Throws `not_found`, `invalid_request` if the principal was removed. */
  release(id: string, by: string): Promise<IncidentDocument> {
    return this.#inTurn(async () => this.#lift(await this.#demandOpen(id), by));
  }

  /** The suspicion is settled: takes back what was done, and the next event opens another incident. */
  resolve(id: string, by: string): Promise<IncidentDocument> {
    return this.#inTurn(async () => {
      const found = await this.#demandOpen(id);
      const lifted = found.containment === 'deregister' ? found : await this.#lift(found, by);
      const at = iso(this.#options.now());
      const resolved = this.#note({ ...lifted, state: 'resolved' }, { at, text: `Resolved by ${by}.` });
      await this.#flush();
      this.#open.delete(id);
      this.#byCause.delete(causeOf(resolved));
      this.#options.emit(eventOf('incident.resolved', resolved, by));
      return resolved;
    });
  }

  #respond(id: string): void {
    const { act, limits, now, emit } = this.#options;
    const incident = this.#open.get(id);
    if (!incident || incident.subject.startsWith('address:')) return;
    const response = milder(RULES[incident.rule].calls, limits[incident.rule]);
    if (response === 'note') return;
    if (!act) {
      this.#note(incident, { at: iso(now()), text: `Dry run: it would have been contained: ${response}.` });
      emit({ ...eventOf('incident.contained', incident, 'system'), response, dryRun: true });
      return;
    }
    this.#inTurn(async () => {
      const present = this.#open.get(id);
      if (present?.state === 'open') await this.#apply(present, response, 'system');
    }).catch((error: unknown) => {
      const present = this.#open.get(id);
      const text = `It could not be contained: ${error instanceof Error ? error.message : String(error)}`;
      if (present) this.#note(present, { at: iso(now()), text });
    });
  }

  async #apply(incident: IncidentDocument, response: IncidentResponse, by: string): Promise<IncidentDocument> {
    const { containment, now, emit } = this.#options;
    const { subject, id } = incident;
    if (incident.containment === 'suspend' && response !== 'suspend') await containment.resume(subject, by);
    if (response === 'suspend') await containment.suspend(subject, by);
    if (response === 'deregister') await containment.deregister(subject, by);
    // It may have been fed meanwhile.
    const { containment: _, ...present } = this.#open.get(id) ?? incident;
    const next: IncidentDocument =
      response === 'note' ? { ...present, state: 'open' } : { ...present, state: 'contained', containment: response };
    const text =
      response === 'note' ? `Noted by ${by}: nothing is held against it.` : `Contained by ${by}: ${response}.`;
    const noted = this.#note(next, { at: iso(now()), text });
    await this.#hold(subject);
    await this.#flush();
    emit({ ...eventOf('incident.contained', noted, by), response });
    return noted;
  }

  async #lift(incident: IncidentDocument, by: string): Promise<IncidentDocument> {
    const { containment, now, emit } = this.#options;
    const { subject, id, containment: held } = incident;
    if (held === undefined) return incident;
    if (held === 'deregister') {
      throw new Failure('invalid_request', `${subject} was removed, which cannot be taken back.`, {
        cure: 'Register it anew; it gets new credentials.',
      });
    }
    if (held === 'suspend') await containment.resume(subject, by);
    const { containment: _, ...present } = this.#open.get(id) ?? incident;
    const noted = this.#note({ ...present, state: 'open' }, { at: iso(now()), text: `Released by ${by}.` });
    await this.#hold(subject);
    await this.#flush();
    emit({ ...eventOf('incident.released', noted, by), response: held });
    return noted;
  }

  async #hold(subject: string): Promise<void> {
    if (subject.startsWith('address:')) return;
    await this.#options.containment.hold(subject, hardestHeld(this.#open.values(), subject));
  }

  #keep(incident: IncidentDocument): void {
    this.#open.set(incident.id, incident);
    this.#byCause.set(causeOf(incident), incident.id);
  }

  #note(incident: IncidentDocument, entry: IncidentEntry): IncidentDocument {
    const [first = entry, ...rest] = [...incident.timeline, entry];
    const noted = { ...incident, timeline: [first, ...rest.slice(-(TIMELINE - 1))] };
    this.#open.set(incident.id, noted);
    this.#unsaved.add(incident.id);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // What could not be written stays unsaved, and is tried again with the next event.
      this.#flush().catch(() => {});
    }, SAVED_EVERY).unref();
    return noted;
  }

  async #flush(): Promise<void> {
    const saving = [...this.#unsaved].flatMap((id) => this.#open.get(id) ?? []);
    if (saving.length > 0) await this.#options.store.save(saving);
    for (const incident of saving) if (this.#open.get(incident.id) === incident) this.#unsaved.delete(incident.id);
  }

  async #demandOpen(id: string): Promise<IncidentDocument> {
    const found = await this.get(id);
    if (found.state !== 'resolved') return found;
    throw new Failure('invalid_request', `Incident ${id} is resolved.`, {
      cure: 'Nothing is held because of it any more.',
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

function eventOf(type: IncidentEvent['type'], incident: IncidentDocument, by: string): IncidentEvent {
  const { id, rule, subject, organisation } = incident;
  return { type, incident: id, rule, subject, by, ...(organisation === undefined ? {} : { organisation }) };
}

function causeOf({ rule, subject }: Pick<IncidentDocument, 'rule' | 'subject'>): string {
  return `${rule} ${subject}`;
}

function milder(one: IncidentResponse, other: IncidentResponse): IncidentResponse {
  return RESPONSES.indexOf(one) < RESPONSES.indexOf(other) ? one : other;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
