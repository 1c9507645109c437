// @ts-check
/**
 * Kills a loaded server at random moments, starts it again, and counts what it had acknowledged and lost, QoS 2 messages that came
 * twice, sessions that were gone, and starts that failed. `npm run test:crash -- [--cycles N] [--workers N] [--keep]`; ends with 1 if any count
 * is not zero. With more than one worker process, those are killed too: two cycles of three end one worker, under the others.
 */
import { execFileSync, spawn } from 'node:child_process';
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
  options: {
    cycles: { type: 'string', default: '5' },
    workers: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
  },
});
const cycles = Number(values.cycles);
const workers = Number(values.workers);
if (!Number.isInteger(cycles) || cycles < 1) throw new Error('--cycles takes a number above 0');
if (!Number.isInteger(workers) || workers < 1) throw new Error('--workers takes a number above 0');

/** @typedef {{ child: import('node:child_process').ChildProcess, port: number, username: string, password: string }} Server */

/**
 * @param {string} directory
 * @returns {Promise<Server>}
 */
async function start(directory) {
  const child = spawn(process.execPath, [SERVER, directory, String(workers)], { stdio: ['ignore', 'pipe', 'pipe'] });
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

/** Process ids of the workers that a server has at the moment. @param {Server} server */
function workersOf({ child }) {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.filter(([, parent]) => parent === child.pid).map(([pid = 0]) => pid);
}

/** Kills one worker, and lets its clients come back to whoever takes them. @param {Server} server */
async function killWorker(server) {
  const all = workersOf(server);
  const victim = all[Math.floor(Math.random() * all.length)];
  if (victim === undefined) throw new Error('the server has no workers');
  process.kill(victim, 'SIGKILL');
  await pause(100);
  for (const client of clients) if (client !== absent) await back(client, server);
}

/**
 * Connects as often as is needed: what a dead worker had is taken over in a moment, and until then nobody gets it.
 * @param {import('./client.mjs').CrashClient} client
 * @param {Server} server
 */
async function back(client, server) {
  for (const end = Date.now() + START_PATIENCE; !client.connected; ) {
    try {
      await client.connect(server);
    } catch (error) {
      if (Date.now() > end) throw error;
      await pause(50);
    }
  }
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
/** @type {Record<string, number | string>[]} */
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
    for (const client of clients) if (client !== absent) await back(client, server);
    for (const publisher of publishers) {
      publisher.running = true;
      publisher.fill();
    }
    const moment = 200 + Math.floor(Math.random() * 2300);
    // One receiver comes and goes, so that messages wait for it, are on their way to it, and are half acknowledged.
    await pause(moment / 2);
    if (absent.connected) absent.cut();
    else await back(absent, server);
    await pause(moment / 2);
    if (workers > 1 && cycle % 3 !== 0) {
      await killWorker(server);
      rows.push({ cycle, killed: 'worker', 'after ms': moment, acknowledged: acknowledgedNow() - before });
      continue;
    }
    server.child.kill('SIGKILL');
    await once(server.child, 'exit');
    for (const client of clients) client.cut();
    const killedAfter = Date.now() - begun;
    try {
      const from = Date.now();
      server = await start(directory);
      rows.push({
        cycle,
        killed: 'server',
        'after ms': killedAfter,
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
    for (const client of clients) await back(client, server);
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
