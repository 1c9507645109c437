// @ts-check
/**
 * Kills a loaded server at random moments, starts it again, and counts what it had acknowledged and lost, QoS 2 messages that came
 * twice, sessions that were gone, and starts that failed. `npm run test:crash -- [--cycles N] [--keep]`; ends with 1 if any count is not zero.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Publisher } from './publisher.mjs';
import { Subscriber } from './subscriber.mjs';

const SERVER = fileURLToPath(new URL('server-process.mjs', import.meta.url));
const START_PATIENCE = 60_000;
/** Milliseconds that everything that is under way has to arrive at the end. */
const SETTLE_PATIENCE = 60_000;

const { values } = parseArgs({
  options: { cycles: { type: 'string', default: '5' }, keep: { type: 'boolean', default: false } },
});
const cycles = Number(values.cycles);
if (!Number.isInteger(cycles) || cycles < 1) throw new Error('--cycles takes a number above 0');

/** @typedef {{ child: import('node:child_process').ChildProcess, port: number, username: string, password: string }} Server */

/**
 * @param {string} directory
 * @returns {Promise<Server>}
 */
async function start(directory) {
  const child = spawn(process.execPath, [SERVER, directory], { stdio: ['ignore', 'pipe', 'pipe'] });
  let err = '';
  child.stderr?.on('data', (chunk) => {
    err = (err + chunk).slice(-4000);
  });
  const opened = once(/** @type {import('node:stream').Readable} */ (child.stdout), 'data');
  const late = pause(START_PATIENCE, undefined, { ref: false }).then(() => {
    throw new Error('the server did not open in time');
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the server ended:\n${err}`);
  });
  ended.catch(() => {});
  late.catch(() => {});
  const [line] = await Promise.race([opened, late, ended]);
  return { child, ...JSON.parse(String(line)) };
}

const one = new Publisher('publisher-1', 1, () => ({ topic: 'one/1' }));
const two = new Publisher('publisher-2', 1, (number) => ({ topic: `one/${2 + (number % 3)}` }));
const three = new Publisher('publisher-3', 2, () => ({ topic: 'two/1' }));
const four = new Publisher('publisher-4', 2, (number) => ({ topic: `two/${2 + (number % 3)}` }));
const keeper = new Publisher('publisher-5', 1, () => ({ topic: 'kept/1', retain: true }));
const publishers = [one, two, three, four, keeper];
const present = new Subscriber('subscriber-present');
const absent = new Subscriber('subscriber-absent');
const clients = [...publishers, present, absent];
const FILTERS = ['one/#', 'two/#'];

/** What has been acknowledged and did not come to a subscriber. @param {Subscriber} subscriber */
function lostBy(subscriber) {
  let lost = 0;
  for (const publisher of [one, two, three, four]) {
    for (const number of publisher.acknowledged) {
      if (!subscriber.counts.has(`${publisher.where(number).topic} ${number}`)) lost++;
    }
  }
  return lost;
}

/** @param {Subscriber} subscriber */
function twiceFor(subscriber) {
  return [...subscriber.counts].filter(([key, count]) => key.startsWith('two/') && count > 1).length;
}

/** @param {() => boolean} holds */
async function until(holds) {
  for (const end = Date.now() + SETTLE_PATIENCE; Date.now() < end && !holds(); ) await pause(20);
}

const acknowledgedNow = () => publishers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);

const directory = mkdtempSync(join(tmpdir(), 'sallyport-crash-'));
/** @type {Record<string, number>[]} */
const rows = [];
let failedStarts = 0;
let staleRetained = 0;
/** @type {Server | undefined} */
let server;
try {
  server = await start(directory);
  for (const subscriber of [present, absent]) {
    await subscriber.connect(server);
    await subscriber.subscribe(FILTERS);
  }
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const before = acknowledgedNow();
    const begun = Date.now();
    for (const client of clients) if (!client.connected && client !== absent) await client.connect(server);
    for (const publisher of publishers) {
      publisher.running = true;
      publisher.fill();
    }
    const moment = 200 + Math.floor(Math.random() * 2300);
    // One receiver comes and goes, so that messages wait for it, are on their way to it, and are half acknowledged.
    await pause(moment / 2);
    if (absent.connected) absent.cut();
    else await absent.connect(server);
    await pause(moment / 2);
    server.child.kill('SIGKILL');
    await once(server.child, 'exit');
    for (const client of clients) client.cut();
    const killedAfter = Date.now() - begun;
    try {
      const from = Date.now();
      server = await start(directory);
      rows.push({
        cycle,
        'killed after ms': killedAfter,
        acknowledged: acknowledgedNow() - before,
        'started in ms': Date.now() - from,
      });
    } catch (error) {
      failedStarts++;
      console.error(`cycle ${cycle}: ${error instanceof Error ? error.message : error}`);
      break;
    }
  }
  if (failedStarts === 0) {
    for (const publisher of publishers) publisher.running = false;
    for (const client of clients) await client.connect(server);
    await until(() => publishers.every(({ finished }) => finished));
    await until(() => lostBy(present) + lostBy(absent) === 0);
    await pause(500);
    const late = new Subscriber('subscriber-late');
    await late.connect(server);
    await late.subscribe(['kept/#']);
    await pause(500);
    const kept = late.latest.get('kept/1') ?? 0;
    if (kept < Math.max(0, ...keeper.acknowledged)) staleRetained++;
    late.cut();
    const stopped = once(server.child, 'exit');
    server.child.kill('SIGTERM');
    await stopped;
  }
} finally {
  server?.child.kill('SIGKILL');
  for (const client of clients) client.cut();
  if (values.keep) console.log(`Kept ${directory}`);
  else rmSync(directory, { recursive: true, force: true });
}

const counts = {
  'acknowledged and lost': lostBy(present) + lostBy(absent),
  'QoS 2 duplicates': twiceFor(present) + twiceFor(absent),
  'retained and lost': staleRetained,
  'sessions lost': clients.reduce((sum, { lostSessions }) => sum + lostSessions, 0),
  'never answered': publishers.filter(({ finished }) => !finished).length,
  'databases that did not open': failedStarts,
};
console.table(rows);
console.table([
  { cycles: rows.length, acknowledged: acknowledgedNow(), delivered: present.total + absent.total, ...counts },
]);
process.exitCode = Object.values(counts).some((count) => count !== 0) ? 1 : 0;
