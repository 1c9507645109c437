import type { NewClaimDocument, NewEnrolmentCode } from '@sallyport/model';
import type { Caller } from './caller.ts';
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
    revokeCode: (name: DeviceName) => caller.nothing('DELETE', path(name)),
    /** A certificate that only enrols new devices of one type, so many. */
    issueClaim: (
      organisation: string,
      body: { readonly type: string; readonly maximum: number; readonly csr: string; readonly expiresIn?: string },
    ) => caller.json<NewClaimDocument>('POST', ['organisations', organisation, 'claim-certificates'], { body }),
  };
}
