import type { DeliverCode } from './code-delivery.ts';

/** Posts codes to a web service that takes them to their owners; `post` signs and sends. */
export function webHookCode(post: (content: object) => Promise<void>): DeliverCode {
  return ({ code, expiresAt, owner, organisation, principal, clientId, address }) =>
    post({
      type: 'one-time-code',
      code,
      expiresAt: new Date(expiresAt).toISOString(),
      organisation,
      principal,
      clientId,
      address,
      ...(owner !== undefined && { owner }),
    });
}
