import { RESPONSES, SEVERITIES } from '@sallyport/model';
import { alertsSection } from './alerts-section.ts';
import { choice, flag, section } from './kinds.ts';

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
    }),
    alerts: alertsSection(),
  },
);
