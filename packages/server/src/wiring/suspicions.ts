import type { BrokerApi } from '../broker/broker.ts';
import type { Configuration } from '../config/schema.ts';
import type { EventStream } from '../events/stream.ts';
import { Habits } from '../incidents/habits.ts';
import type { Incidents } from '../incidents/incidents.ts';
import { Places } from '../incidents/places.ts';
import type { Suspicion } from '../incidents/suspicion.ts';
import { Suspicions } from '../incidents/suspicions.ts';
import type { Installation } from '../installation.ts';
import { habitRecords } from '../registry/habit-records.ts';
import { placeRecords } from '../registry/place-records.ts';

export interface SuspicionsWiringOptions {
  readonly installation: Pick<Installation, 'database'>;
  readonly configuration: Configuration;
  readonly events: EventStream;
  readonly broker: Pick<BrokerApi, 'readings'>;
  readonly countryOf: (address: string) => string | undefined;
  readonly now: () => number;
}

/** What a crash can take of what was learned. Milliseconds. */
const HABITS_KEPT_EVERY = 10 * 60_000;

/** Lets everything that can be suspicious be looked at, and tells the incidents. The answer ends it. */
export async function watchSuspicions(
  { installation, configuration, events, broker, countryOf, now }: SuspicionsWiringOptions,
  incidents: Pick<Incidents, 'suspect'>,
): Promise<() => Promise<void>> {
  const { learning, factor, interval } = configuration.incidents.habits;
  const suspicions = new Suspicions(now);
  const habits = new Habits({ store: habitRecords(installation.database), learning, factor, now });
  const places = new Places({
    store: placeRecords(installation.database),
    countryOf,
    learning,
    onDefect: (problem) => events.emit({ type: 'defect', where: 'countries of devices', problem: String(problem) }),
    now,
  });
  await Promise.all([places.load(), habits.load()]);
  const suspect = (found: readonly Suspicion[]): void => {
    for (const suspicion of found) incidents.suspect(suspicion);
  };
  const ends = [
    events.on('*', (event) => suspect(suspicions.observe(event))),
    events.on('session.opened', (event) => suspect(suspicions.weigh(places.opened(event)))),
    events.on('session.closed', ({ principal, organisation, presence, readMessages, readBytes }) => {
      habits.closed({ principal, organisation, presence, messages: readMessages, bytes: readBytes });
    }),
    events.on('registry.changed', ({ action, target }) => {
      if (action !== 'device.removed') return;
      places.forget(target);
      habits.forget(target);
    }),
  ];
  const timer = setInterval(() => {
    void broker.readings().then((readings) => suspect(suspicions.weigh(habits.look(readings))));
  }, interval);
  timer.unref();
  const keepHabits = () =>
    habits.save().catch((problem: unknown) => {
      events.emit({ type: 'defect', where: 'habits of devices', problem: String(problem) });
    });
  const keeping = setInterval(() => void keepHabits(), Math.max(interval, HABITS_KEPT_EVERY));
  keeping.unref();
  return async () => {
    clearInterval(timer);
    clearInterval(keeping);
    for (const end of ends) end();
    await Promise.all([places.close(), keepHabits()]);
  };
}
