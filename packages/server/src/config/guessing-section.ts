import { count, duration, flag, section } from './kinds.ts';

/** What happens to those who guess secrets. */
export const GUESSING_SECTION = section(
  'Protection against guessing: wrong attempts are answered more and more slowly, then blocked. Whoever has connected from an address before is not blocked there.',
  {
    enabled: flag({ default: true, meaning: 'Whether wrong attempts are counted, slowed down and blocked.' }),
    failuresPerPrincipal: count({
      reached: 'The address is blocked for that principal; CONNECT is refused with 0x97 (3.1.1: 3).',
      default: 10,
      minimum: 1,
      maximum: 1000,
      meaning: 'Wrong attempts of one address (IPv6: one /64 network) for one principal before it is blocked for it.',
    }),
    failuresPerAddress: count({
      reached:
        'The address is blocked; its connections are closed before a handshake, or if a principal is known from there, CONNECT of others is refused with 0x97 (3.1.1: 3).',
      default: 30,
      minimum: 1,
      maximum: 100_000,
      meaning: 'Wrong attempts of one address (IPv6: one /64 network) for whomever before it is blocked.',
    }),
    window: duration({
      default: '15m',
      minimum: '1s',
      maximum: '1d',
      meaning: 'After how long without another wrong attempts are forgotten.',
    }),
    block: duration({
      default: '1m',
      minimum: '1s',
      maximum: '1d',
      meaning: 'How long the first block lasts; each further one lasts twice as long.',
    }),
    maximumBlock: duration({
      default: '1h',
      minimum: '1s',
      maximum: '30d',
      meaning: 'The longest block.',
    }),
  },
);
