import { parseAddressBlock } from './address.ts';
import type { Conditions, DayWindow } from './condition.ts';
import { ASSURANCES, TRANSPORTS } from './decision.ts';
import { isMapping, kindOf, type Path, type ProblemList, readList, readWord } from './problem-list.ts';

const KEYS = ['address', 'transport', 'secure', 'assurance', 'credential', 'time'];
const TIME_KEYS = ['from', 'to', 'after', 'before'];
const CLOCK = /^([01][0-9]|2[0-3]):([0-5][0-9])$/;
// A time without a zone would mean another moment on another machine.
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
const MINUTES_OF_DAY = 1440;

/** Checks the `when` of a statement. */
export function compileConditions(problems: ProblemList, path: Path, value: unknown): Conditions | undefined {
  if (!isMapping(value)) {
    problems.add(
      path,
      `expected a mapping, found ${kindOf(value)}`,
      `Write conditions such as "secure: true" below "when".`,
    );
    return undefined;
  }
  problems.unknownKeys(path, value, KEYS);
  const { address, transport, secure, assurance, credential, time } = value;
  if (secure !== undefined && typeof secure !== 'boolean') {
    problems.add(
      [...path, 'secure'],
      `expected true or false, found ${kindOf(secure)}`,
      'Write true or false without quotes.',
    );
  }
  const level = assurance === undefined ? undefined : readWord(problems, [...path, 'assurance'], assurance, ASSURANCES);
  return {
    ...(address === undefined ? {} : { address: readAddresses(problems, [...path, 'address'], address) }),
    ...(transport === undefined ? {} : { transport: readTransports(problems, [...path, 'transport'], transport) }),
    ...(typeof secure === 'boolean' ? { secure } : {}),
    ...(level ? { assurance: level } : {}),
    ...(credential === undefined
      ? {}
      : { credential: readList(problems, [...path, 'credential'], credential, '["token"]', (text) => text) }),
    ...(time === undefined ? {} : readTime(problems, [...path, 'time'], time)),
  };
}

function readAddresses(problems: ProblemList, path: Path, value: unknown): NonNullable<Conditions['address']> {
  return readList(problems, path, value, '["192.168.0.0/16"]', (text, at) => {
    const block = parseAddressBlock(text);
    if (block.ok) return block.value;
    problems.add(at, block.problem, 'Write an address or a block such as 192.168.0.0/16 or fd00::/8.', block.position);
    return undefined;
  });
}

function readTransports(problems: ProblemList, path: Path, value: unknown): NonNullable<Conditions['transport']> {
  return readList(problems, path, value, '["tls", "wss"]', (text, at) => readWord(problems, at, text, TRANSPORTS));
}

function readTime(problems: ProblemList, path: Path, value: unknown): Pick<Conditions, 'day' | 'after' | 'before'> {
  if (!isMapping(value)) {
    problems.add(path, `expected a mapping, found ${kindOf(value)}`, `Write {from: '08:00', to: '18:00'}.`);
    return {};
  }
  problems.unknownKeys(path, value, TIME_KEYS);
  if (Object.keys(value).length === 0) problems.add(path, 'the condition is empty', 'Name from, to, after or before.');
  const from = readClock(problems, [...path, 'from'], value.from);
  const to = readClock(problems, [...path, 'to'], value.to);
  const after = readMoment(problems, [...path, 'after'], value.after);
  const before = readMoment(problems, [...path, 'before'], value.before);
  if (from !== undefined && from === to) {
    problems.add(path, 'from and to are the same time', 'Leave both out if the whole day is meant.');
  }
  if (after !== undefined && before !== undefined && after >= before) {
    problems.add(path, '"after" is not earlier than "before", so the statement would never apply', 'Exchange them.');
  }
  const day: DayWindow | undefined =
    from === undefined && to === undefined ? undefined : { from: from ?? 0, to: to ?? MINUTES_OF_DAY };
  return {
    ...(day ? { day } : {}),
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
  };
}

function readClock(problems: ProblemList, path: Path, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const found = typeof value === 'string' ? CLOCK.exec(value) : null;
  if (found) return Number(found[1]) * 60 + Number(found[2]);
  problems.add(path, 'not a time of day', `Write hours and minutes of UTC in quotes, such as '06:30'.`);
  return undefined;
}

function readMoment(problems: ProblemList, path: Path, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const time = typeof value === 'string' && MOMENT.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  problems.add(
    path,
    'not a date and time with zone',
    `Write it in quotes as ISO 8601, such as '2030-01-31T00:00:00Z'.`,
  );
  return undefined;
}
