import { parseOrganisationId } from '@sallyport/model';
import { z } from 'zod';
import { choice, count, duration, flag, type KeyMeta, section, text } from './kinds.ts';

function organisationIds(meaning: string) {
  return z
    .array(z.string().refine((value) => parseOrganisationId(value).ok))
    .max(1000)
    .prefault([])
    .meta({
      description: meaning,
      type: 'list of names',
      bounds: 'at most 1000',
      default: 'none',
      expected: 'a list of ids of organisations, such as [demo]',
    } satisfies KeyMeta);
}

function isOrigin(value: string): boolean {
  return value === 'none' || /^https:\/\/[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$/.test(value);
}

/** The embedded authorization server (docs/guide/authorization-server.md). */
export const AUTHORIZATION_SERVER_SECTION = section(
  'The embedded authorization server: access tokens for applications and devices, at /oauth/ORGANISATION of the HTTPS port.',
  {
    organisations: organisationIds('Organisations that have an authorization server; it is off for all others.'),
    publicUrl: text({
      default: 'none',
      type: 'URL',
      meaning:
        'Address under which clients reach the HTTPS port, such as https://iot.example.com; it is part of every token. With `none`: https://localhost with the port of HTTPS.',
      expected: '`none`, or an address that begins with https:// and ends after the host and port',
      fits: isOrigin,
    }),
    publicCertificateUrl: text({
      default: 'none',
      type: 'URL',
      meaning:
        'Address under which clients reach the enrolment listener, where they prove themselves by certificate. With `none`: the host of publicUrl with the port of that listener.',
      expected: '`none`, or an address that begins with https:// and ends after the host and port',
      fits: isOrigin,
    }),
    accessTokens: choice({
      of: ['jwt', 'opaque'],
      default: 'jwt',
      meaning:
        'Form of access tokens: "jwt" is checked by anybody who has the keys and counts until it expires; "opaque" is asked about (introspection) and can be revoked.',
    }),
    accessTokenLifetime: duration({
      default: '5m',
      minimum: '10s',
      maximum: '1d',
      meaning: 'How long an access token counts.',
    }),
    refreshTokenLifetime: duration({
      default: '30d',
      minimum: '1m',
      maximum: '365d',
      meaning:
        'How long a device that was approved may renew its access token; its owner approves it again afterwards.',
    }),
    deviceCodeLifetime: duration({
      default: '10m',
      minimum: '1m',
      maximum: '1h',
      meaning: 'How long a device waits for the approval of its owner.',
    }),
    deviceInterval: duration({
      default: '5s',
      minimum: '100ms',
      maximum: '1m',
      meaning:
        'How long a device waits before it asks again whether it was approved. One that asks earlier is told `slow_down`, and has to wait 5 s longer from then on.',
    }),
    ownerApproval: flag({
      default: false,
      meaning:
        'Whether the owner of a device or device type, who is no operator, may approve it on the page: proven by a code that is mailed to the owner (unlock.mail), or by the authenticator app of the device.',
    }),
    keyLifetime: duration({
      default: '30d',
      minimum: '1h',
      maximum: '365d',
      meaning: 'How long a key signs access tokens before its successor does.',
    }),
    keyOverlap: duration({
      default: '1d',
      minimum: '1m',
      maximum: '90d',
      meaning: 'How long a key is published before it signs, and after it has signed its last token.',
    }),
    maximumPendingDevices: count({
      default: 1000,
      minimum: 1,
      maximum: 100_000,
      meaning: 'Devices of one organisation whose code has not ended.',
      reached: 'A device that begins is told to come back later (429).',
    }),
    maximumTokens: count({
      default: 100_000,
      minimum: 100,
      maximum: 10_000_000,
      meaning: 'Codes, grants, refresh tokens and opaque access tokens of one organisation that are kept.',
      reached: 'No further one is issued until some have ended.',
    }),
  },
);
