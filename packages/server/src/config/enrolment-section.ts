import { address, count, flag, port, rate, section } from './kinds.ts';

/** The listener that asks devices for their certificate before they renew it. */
export const ENROLMENT_LISTENER = section(
  'HTTPS that asks for a client certificate: enrolment (EST), where devices renew theirs and claims enrol new devices, firmware, and access tokens of the embedded authorization server. Enrolment by code is offered by HTTPS always.',
  {
    enabled: flag({ default: false, meaning: 'Whether the listener for enrolment by certificate is opened.' }),
    address: address('Address that the enrolment listener listens on; name another than loopback to be reached.'),
    port: port({ default: 8444, meaning: 'Port of the enrolment listener; 0 takes a free one.' }),
  },
);

/** What operators may have issued, and what unknown devices may do that come with a certificate of an authority which may register them. */
export const ENROLMENT = section(
  'Certificates that operators have issued, and devices that are registered by their certificate, without an operator.',
  {
    maximumIssueRate: rate({
      reached:
        'The request is answered with 429 and Retry-After; `sallyport certificate issue --type` waits by itself.',
      default: 50,
      minimum: 1,
      maximum: 10_000,
      meaning: 'Certificates that one operator may have issued per second; ten times as many at once.',
    }),
    maximumRegistrationRate: rate({
      reached: 'The device is refused and may try again; the reason is registration_limit.',
      default: 10,
      minimum: 1,
      maximum: 10_000,
      meaning: 'Unknown devices that may be registered or noted for review per second; ten times as many at once.',
    }),
    maximumRegistrations: count({
      reached: 'The device is refused; the reason is registration_limit.',
      default: 10_000,
      minimum: 1,
      maximum: 10_000_000,
      meaning: 'Devices that one authority may register, counted since the start of the server.',
    }),
    maximumPendingDevices: count({
      reached: 'The device is refused and not noted; the reason is registration_limit.',
      default: 1000,
      minimum: 1,
      maximum: 100_000,
      meaning: 'Devices of one organisation that wait for the approval of an operator.',
    }),
  },
);
