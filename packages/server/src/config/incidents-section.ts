import { RESPONSES, SEVERITIES } from '@sallyport/model';
import { alertsSection } from './alerts-section.ts';
import { choice, count, duration, flag, section } from './kinds.ts';

function limit(standard: (typeof RESPONSES)[number], what: string) {
  return choice({
    of: RESPONSES,
    default: standard,
    meaning: `The furthest that the server may go by itself ${what}.`,
  });
}

function severity(standard: (typeof SEVERITIES)[number], what: string) {
  return choice({ of: SEVERITIES, default: standard, meaning: `How grave incidents are ${what}.` });
}

/** What the server does about suspicions without a person. */
export const INCIDENTS_SECTION = section(
  'Suspicious activity. Incidents are always opened; what is done about them without a person is a dry run until `act` is on.',
  {
    act: flag({
      default: false,
      meaning: 'Whether the server contains principals by itself; off: incidents say what it would have done.',
    }),
    limits: section('How far each rule may go by itself, where `act` is on.', {
      guessing: limit('note', 'where an address has guessed too often; the address is blocked anyway'),
      'names-another': limit('quarantine', 'where a device names other devices again and again'),
      'revoked-credential': limit('note', 'where a revoked credential is shown'),
      'two-places': limit('read-only', 'where a device is connected from two networks in turn'),
      'takeover-war': limit('throttle', 'where connections with one client id push each other out again and again'),
      flapping: limit('throttle', 'where a device connects again and again, whatever its client id'),
      flood: limit('throttle', 'where a principal sends faster than it may'),
      denials: limit('read-only', 'where a principal is denied again and again'),
      'refused-command': limit('note', 'where a device refuses forged or replayed commands: it is the one attacked'),
      'replayed-command': limit('read-only', 'where a principal sends the signed command of another once more'),
      'refused-firmware': limit('note', 'where a device refuses firmware that does not verify'),
      'unusual-rate': limit('note', 'where a device sends far more often than it used to'),
      'unusual-size': limit('note', 'where a device sends far larger messages than it used to'),
      'new-country': limit('note', 'where a device connects from a country that it was never in'),
    }),
    severities: section('How grave incidents of each rule are; alerts choose by it.', {
      guessing: severity('low', 'of an address that has guessed too often'),
      'names-another': severity('high', 'of a device that names other devices'),
      'revoked-credential': severity('medium', 'of a revoked credential that is shown'),
      'two-places': severity('high', 'of a device that is connected from two networks in turn'),
      'takeover-war': severity('medium', 'of connections that push each other out'),
      flapping: severity('low', 'of a device that connects again and again'),
      flood: severity('low', 'of a principal that sends faster than it may'),
      denials: severity('medium', 'of a principal that is denied again and again'),
      'refused-command': severity('high', 'of forged or replayed commands that a device refuses'),
      'replayed-command': severity('high', 'of a principal that sends the signed command of another once more'),
      'refused-firmware': severity('high', 'of firmware that a device refuses'),
      'unusual-rate': severity('low', 'of a device that sends far more often than it used to'),
      'unusual-size': severity('low', 'of a device that sends far larger messages than it used to'),
      'new-country': severity('medium', 'of a device in a country that it was never in'),
    }),
    habits: section('What devices usually do, so that it can be told when one is far from its own past.', {
      learning: duration({
        default: '7d',
        minimum: '1s',
        maximum: '365d',
        meaning:
          'How long a device is only watched before its rate, the size of its messages or its country can be unusual.',
      }),
      interval: duration({
        default: '1m',
        minimum: '100ms',
        maximum: '5m',
        meaning: 'Time between two looks at what devices have sent.',
      }),
      factor: count({
        default: 8,
        minimum: 2,
        maximum: 1000,
        meaning: 'What is less than so many times the usual is never unusual.',
      }),
    }),
    alerts: alertsSection(),
  },
);
