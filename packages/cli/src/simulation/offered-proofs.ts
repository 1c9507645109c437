import type { SimulatedProof } from '@sallyport/device/simulator';
import type { OfferedProof } from './device-page.ts';

/** The ways to prove itself that a page offers: those of the device, and a user name that a person types. */
export function offeredProofs(own: SimulatedProof): readonly OfferedProof[] {
  const token = own.by === 'token' || own.by === 'certificate' ? own.token : undefined;
  const withToken = (): SimulatedProof => ({ by: 'token', token: token ?? '' });
  return [
    {
      id: 'password',
      name: 'User name and password',
      meaning: 'Typed by whoever is at the device.',
      available: true,
      fields: ['username', 'password'],
      make: (written) => ({ by: 'password', ...written }),
    },
    {
      id: 'token',
      name: 'Token',
      meaning:
        token === undefined
          ? 'This device was given none.'
          : 'Built in. If its type demands a one-time code too, its owner gets one.',
      available: token !== undefined,
      fields: [],
      make: withToken,
    },
    {
      id: 'certificate',
      name: 'Certificate',
      meaning:
        own.by === 'certificate' ? 'Built in.' : 'This device was given none: --certificate and --certificate-key.',
      available: own.by === 'certificate',
      fields: [],
      make: () => own,
    },
  ];
}
