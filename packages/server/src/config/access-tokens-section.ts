import { duration, section, text } from './kinds.ts';

/** How authorization servers are asked, and how much of them is believed while they do not answer. */
export const ACCESS_TOKENS = section(
  'Access tokens of authorization servers; which ones are taken is set with `sallyport issuer`.',
  {
    requestTimeout: duration({
      default: '5s',
      minimum: '1s',
      maximum: '30s',
      meaning: 'Time that an authorization server has for one answer.',
    }),
    keyRefresh: duration({
      default: '10m',
      minimum: '1m',
      maximum: '1d',
      meaning:
        'After what time signing keys are fetched again, behind the scenes. An unknown key makes them be fetched at once, every 30 s at most.',
    }),
    keyOutage: duration({
      default: '1d',
      minimum: '1m',
      maximum: '30d',
      meaning: 'For how long signing keys count that cannot be fetched again; then tokens of that issuer are refused.',
    }),
    introspectionOutage: duration({
      default: '5m',
      minimum: '1s',
      maximum: '1d',
      meaning:
        'For how long open sessions stand whose authorization server does not answer whether their token was revoked. New ones are refused at once.',
    }),
    expiryNotice: duration({
      default: '60s',
      minimum: '0s',
      maximum: '1d',
      meaning: 'How long before the credential of an open session ends this is told by the event `session.expiring`.',
    }),
    authorityFile: text({
      default: 'none',
      type: 'path',
      meaning:
        'PEM file of certificate authorities that authorization servers are verified by, besides the public ones and that of this server; the word none for no file.',
      expected: 'a path',
      fits: (value) => !value.includes('\u0000'),
    }),
  },
);
