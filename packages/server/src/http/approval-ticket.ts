import { createHmac, randomBytes } from 'node:crypto';
import { constantTimeEqual } from '@sallyport/trust/secrets';

/** How long an operator may look at a request before he decides. */
const LIFETIME = 5 * 60_000;

/** Stands for an operator who has proven who he is, for one request of one organisation and some minutes; worth nothing elsewhere. */
export function approvalTickets(now: () => number) {
  const key = randomBytes(32);
  const sealOf = (parts: readonly string[]) =>
    createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url');
  return {
    issue(organisation: string, userCode: string, operator: string): string {
      const until = String(now() + LIFETIME);
      const seal = sealOf([organisation, userCode, operator, until]);
      return [Buffer.from(operator).toString('base64url'), until, seal].join('.');
    },
    /** The operator; undefined if the ticket is not of this server, of another request, or too old. */
    operatorOf(ticket: string, organisation: string, userCode: string): string | undefined {
      const [name = '', until = '', seal = ''] = ticket.split('.');
      const operator = Buffer.from(name, 'base64url').toString();
      const expected = sealOf([organisation, userCode, operator, until]);
      const genuine = constantTimeEqual(Buffer.from(seal), Buffer.from(expected));
      return genuine && Number(until) > now() ? operator : undefined;
    },
  };
}
