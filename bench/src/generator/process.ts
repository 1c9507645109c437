import { connectionRate } from './connection-rate.ts';
import { Fleet } from './fleet.ts';
import { latency } from './latency.ts';
import { measure } from './measure.ts';
import type { Order, OrderName, Orders, Reply } from './orders.ts';

/** Main module of a generator process: does one order after the other. */
const fleets = new Map<string, Fleet>();

function fleetOf(name: string): Fleet {
  const fleet = fleets.get(name);
  if (!fleet) throw new Error(`no fleet ${name} is connected`);
  return fleet;
}

type Doers = { [Name in OrderName]: (ask: Orders[Name]['ask']) => Promise<Orders[Name]['answer']> };

const doers: Doers = {
  async muster({ fleet, muster }) {
    fleets.set(fleet, await Fleet.connect(muster));
    return null;
  },
  async dismiss({ fleet }) {
    await fleets.get(fleet)?.close();
    fleets.delete(fleet);
    return null;
  },
  async throughput({ fleet: name, serverPid, qos, window, warmup, duration }) {
    const fleet = fleetOf(name);
    fleet.start(qos, window);
    const stretch = await measure(serverPid, () => fleet.delivered, warmup, duration);
    await fleet.finish();
    return stretch;
  },
  async latency({ fleet, rate, duration }) {
    return latency(fleetOf(fleet), rate, duration);
  },
  async connections({ identities, target, ...options }) {
    return connectionRate(identities, target, options);
  },
};

function reply(message: Reply): void {
  process.send?.(message);
}

function fail(id: number, error: unknown): void {
  reply({ id, error: error instanceof Error ? error.message : String(error) });
}

let current = 0;
process.on('message', (order: Order) => {
  current = order.id;
  const act = doers[order.name] as (ask: unknown) => Promise<unknown>;
  act(order.ask).then(
    (answer) => reply({ id: order.id, answer }),
    (error: unknown) => fail(order.id, error),
  );
});
// A connection that breaks in the middle of a run ends the run, not the bench.
process.on('uncaughtException', (error) => fail(current, error));
process.on('disconnect', () => process.exit(0));
