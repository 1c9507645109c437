import { parseOrganisationId, SEVERITIES } from '@sallyport/model';
import { z } from 'zod';
import { choice, duration, flag, type KeyMeta, section, text } from './kinds.ts';

const ADDRESS = /^[^\s<>,;:"()[\]\\@]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/;

const path = (meaning: string) =>
  text({ default: '', meaning, type: 'path', expected: 'the path of a file, or nothing', fits: () => true });

const severity = (standard: (typeof SEVERITIES)[number]) =>
  choice({ of: SEVERITIES, default: standard, meaning: 'Incidents of at least this severity are told by this way.' });

const interval = (standard: string) =>
  duration({
    default: standard,
    minimum: '1s',
    maximum: '7d',
    meaning: 'Shortest time between two letters by this way; incidents of the time between go together with the next.',
  });

/** Who is told about incidents, and by what way. */
export function alertsSection() {
  return section('Who is told about incidents. What is told by one way is bounded, whatever happens.', {
    pause: duration({
      default: '5m',
      minimum: '1s',
      maximum: '1d',
      meaning: 'How long a way is left alone that has failed five times in a row; what was not told is kept.',
    }),
    mail: section('Mails, by the mail server of `unlock.mail`.', {
      to: z
        .array(z.string().refine((value) => ADDRESS.test(value)))
        .max(20)
        .prefault([])
        .meta({
          description: 'Who is told by mail; nobody: no mail is sent.',
          type: 'list of mail addresses',
          bounds: 'at most 20',
          default: 'none',
          expected: 'a list of mail addresses such as ann@example.com',
        } satisfies KeyMeta),
      severity: severity('medium'),
      interval: interval('15m'),
    }),
    webHook: section('A web service that is told; without `url` none is.', {
      url: text({
        default: '',
        meaning: 'Address to which each letter is posted as JSON.',
        type: 'https address',
        expected: 'an address that begins with https://, or with http:// where `allowPlaintextHook` is on, or nothing',
        fits: (value) => value === '' || (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)),
      }),
      secretFile: path('File with the secret that signs each request; only its owner may read it.'),
      ca: path('PEM file of the authority of the web service, if it is none that the machine trusts.'),
      allowPlaintextHook: flag({
        default: false,
        meaning:
          'Unsafe: an address with http:// may be named. Whoever is on the way can read alerts and hold them back.',
      }),
      timeout: duration({
        default: '10s',
        minimum: '1s',
        maximum: '1m',
        meaning: 'How long the web service may take for one letter.',
      }),
      severity: severity('low'),
      interval: interval('1m'),
    }),
    mqtt: section(
      'Messages to applications, at `iot-2/incident/RULE` in the organisation of whom the incident is about.',
      {
        enabled: flag({ default: false, meaning: 'Whether applications are told.' }),
        serverOrganisation: text({
          default: '',
          meaning: 'The organisation that is also told what belongs to none, such as addresses that guess.',
          type: 'organisation',
          expected: 'the id of an organisation, or nothing',
          fits: (value) => value === '' || parseOrganisationId(value).ok,
        }),
        severity: severity('low'),
        interval: interval('10s'),
      },
    ),
  });
}
