import type {
  AuthorityDocument,
  DeviceDocument,
  NewClaimDocument,
  NewEnrolmentCode,
  Page,
  PendingDeviceDocument,
} from '@sallyport/model';
import type { Caller, PageOptions } from './caller.ts';
import type { DeviceName } from './requests.ts';

/** What devices enrol with. */
export function enrolmentCalls(caller: Caller) {
  const path = ({ organisation, type, id }: DeviceName) => [
    ...['organisations', organisation, 'types', type, 'devices', id, 'enrolment-code'],
  ];
  return {
    /** One of before ends. The code cannot be shown again. */
    createCode: (name: DeviceName, body: { readonly expiresIn?: string } = {}) =>
      caller.json<NewEnrolmentCode>('POST', path(name), { body }),
    /** Unknown devices that wait for approval. */
    listPending: (organisation: string, page: PageOptions = {}) =>
      caller.json<Page<PendingDeviceDocument>>('GET', ['organisations', organisation, 'pending-devices'], {
        query: { ...page },
      }),
    approve: ({ organisation, type, id }: DeviceName) =>
      caller.json<DeviceDocument>('POST', ['organisations', organisation, 'pending-devices', type, id, 'approve']),
    reject: ({ organisation, type, id }: DeviceName) =>
      caller.nothing('DELETE', ['organisations', organisation, 'pending-devices', type, id]),
    /** What becomes of unknown devices that an authority of your own has certified. */
    setRegistration: (organisation: string, authority: string, registration: 'off' | 'review' | 'automatic') =>
      caller.json<AuthorityDocument>('PUT', ['organisations', organisation, 'authorities', authority, 'registration'], {
        body: { registration },
      }),
    revokeCode: (name: DeviceName) => caller.nothing('DELETE', path(name)),
    /** A certificate that only enrols new devices of one type, so many. */
    issueClaim: (
      organisation: string,
      body: { readonly type: string; readonly maximum: number; readonly csr: string; readonly expiresIn?: string },
    ) => caller.json<NewClaimDocument>('POST', ['organisations', organisation, 'claim-certificates'], { body }),
  };
}
