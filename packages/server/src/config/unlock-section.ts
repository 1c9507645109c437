import { count, duration, flag, port, section, text } from './kinds.ts';

const HOST = /^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$/;
const ADDRESS = /^[^\s<>,;:"()[\]\\@]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/;

const path = (meaning: string) =>
  text({ default: '', meaning, type: 'path', expected: 'the path of a file, or nothing', fits: () => true });

/** One-time codes: how they are made, and how they get to the owners of devices. */
export function unlockSection() {
  return section('One-time codes for devices whose type demands that a person is present.', {
    digits: count({ default: 6, minimum: 6, maximum: 10, meaning: 'Digits of a code.' }),
    lifetime: duration({ default: '5m', minimum: '30s', maximum: '1h', meaning: 'How long a code is good.' }),
    attempts: count({
      default: 3,
      minimum: 1,
      maximum: 10,
      meaning: 'Codes that may be given in one session, over all codes that it asks for; then it ends.',
      reached: 'The session ends with DISCONNECT 0x87.',
    }),
    maximumRequests: count({
      default: 5,
      minimum: 1,
      maximum: 1000,
      meaning: 'Codes that one device may ask for within `requestWindow`, over all its sessions.',
      reached: 'The device is told to wait; no code is made.',
    }),
    requestWindow: duration({ default: '15m', minimum: '1m', maximum: '1d', meaning: 'See `maximumRequests`.' }),
    maximumFailures: count({
      default: 10,
      minimum: 1,
      maximum: 1000,
      meaning: 'Wrong codes that one device may give within `failureWindow`, over all its sessions.',
      reached: 'The device is told to wait; no code is looked at.',
    }),
    failureWindow: duration({ default: '1h', minimum: '1m', maximum: '7d', meaning: 'See `maximumFailures`.' }),
    mail: section('The mail server that takes codes for owners; without `host` no mail is sent.', {
      host: text({
        default: '',
        meaning: 'Name or address of the mail server.',
        type: 'host name',
        expected: 'a host name or IP address, or nothing',
        fits: (value) => value === '' || HOST.test(value),
      }),
      port: port({ default: 587, meaning: 'Port of the mail server: 587 with STARTTLS, 465 with `implicitTls`.' }),
      implicitTls: flag({ default: false, meaning: 'Speak TLS from the first byte; else STARTTLS is demanded.' }),
      allowPlaintextMail: flag({
        default: false,
        meaning: 'Unsafe: send codes without TLS. Whoever is on the way can read and use them.',
      }),
      username: text({
        default: '',
        meaning: 'User name at the mail server.',
        type: 'text',
        expected: 'a text of at most 256 characters',
        fits: (value) => value.length <= 256,
      }),
      passwordFile: path('File with the password at the mail server; only its owner may read it.'),
      ca: path('PEM file of the authority of the mail server, if it is none that the machine trusts.'),
      from: text({
        default: '',
        meaning: 'Sender of the mails.',
        type: 'mail address',
        expected: 'a mail address such as sallyport@example.com, or nothing',
        fits: (value) => value === '' || ADDRESS.test(value),
      }),
    }),
    webHook: section('The web service that takes codes for owners; without `url` none is asked.', {
      url: text({
        default: '',
        meaning: 'Address to which each code is posted as JSON.',
        type: 'https address',
        expected: 'an address that begins with https://, or nothing',
        fits: (value) => value === '' || (URL.canParse(value) && new URL(value).protocol === 'https:'),
      }),
      secretFile: path('File with the secret that signs each request; only its owner may read it.'),
      ca: path('PEM file of the authority of the web service, if it is none that the machine trusts.'),
    }),
    deliveryTimeout: duration({
      default: '20s',
      minimum: '1s',
      maximum: '5m',
      meaning: 'How long a mail server or web service may take for one code.',
    }),
  });
}
