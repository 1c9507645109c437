import type { Authorizer, Comer } from '../authorization/authorizer.ts';
import type { Arrive } from '../broker/arrival.ts';
import type { ArrivalAnswer, ArrivalQuestion, OfficeCalls, WorkerCalls } from './calls.ts';
import type { Line } from './line.ts';

/** An authorizer that can tell from what rights were built, so that they can be built again elsewhere. Only `record` lets it. */
export interface RecordingAuthorizer extends Authorizer {
  /** Remembers it of all rights that are opened from now on: for a process that hands sessions to others, and keeps none. */
  record(): void;
  comerOf(rights: object): Comer | undefined;
}

export function recordingAuthorizer(inner: Authorizer): RecordingAuthorizer {
  const comers = new WeakMap<object, Comer>();
  let recording = false;
  return {
    record() {
      recording = true;
    },
    load: (organisation) => inner.load(organisation),
    open(comer) {
      const door = inner.open(comer);
      if (recording) comers.set(door.rights, comer);
      return door;
    },
    comerOf: (rights) => comers.get(rights),
  };
}

/** Asks the doors for a worker. Rejects if they break, or if what they let in was not built here: then nobody comes in. */
export async function askForWorker(
  { evidence, exchange, ...rest }: ArrivalQuestion,
  worker: Line<WorkerCalls, OfficeCalls>,
  { arrive, authorizer }: { readonly arrive: Arrive; readonly authorizer: RecordingAuthorizer },
): Promise<ArrivalAnswer> {
  const spoken = exchange && {
    method: exchange.method,
    renewal: exchange.renewal,
    ...(exchange.data === undefined ? {} : { data: exchange.data }),
    ask: (data: Uint8Array, patience?: number) =>
      patience === undefined
        ? worker.ask('challenge', exchange.number, data)
        : worker.ask('challenge', exchange.number, data, patience),
    conclude: (data: Uint8Array) => worker.tell('conclude', exchange.number, data),
  };
  const verdict = await arrive({ ...rest, evidence: { ...evidence, ...(spoken && { exchange: spoken }) } });
  if (verdict.outcome === 'refused') return verdict;
  const { rights, raised, assurance: _, ...session } = verdict.session;
  const comer = authorizer.comerOf(raised ?? rights);
  if (comer === undefined) throw new TypeError('rights of unknown origin');
  return {
    outcome: 'admitted',
    session,
    steps: comer.arrival,
    rightsOf: comer.clientId,
    ...(comer.owes && { owes: comer.owes }),
  };
}
