import { createHmac, randomBytes } from 'node:crypto';
import { constantTimeEqual } from '@sallyport/trust/secrets';

/** How long one may look at a request before deciding. */
const LIFETIME = 5 * 60_000;

/** Stands for an operator or owner who has proven who he is, for one request of one organisation and some minutes; worth nothing elsewhere. */
export function approvalTickets(now: () => number) {
  const key = randomBytes(32);
  const sealOf = (parts: readonly string[]) =>
    createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url');
  return {
    issue(organisation: string, userCode: string, holder: string): string {
      const until = String(now() + LIFETIME);
      const seal = sealOf([organisation, userCode, holder, until]);
      return [Buffer.from(holder).toString('base64url'), until, seal].join('.');
    },
    /** In written form; undefined if the ticket is not of this server, of another request, or too old. */
    holderOf(ticket: string, organisation: string, userCode: string): string | undefined {
      const [name = '', until = '', seal = ''] = ticket.split('.');
      const holder = Buffer.from(name, 'base64url').toString();
      const expected = sealOf([organisation, userCode, holder, until]);
      const genuine = constantTimeEqual(Buffer.from(seal), Buffer.from(expected));
      return genuine && Number(until) > now() ? holder : undefined;
    },
  };
}
