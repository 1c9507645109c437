import {
  FAILURES,
  OPERATOR_ROLES,
  type OperatorRole,
  REASONS,
  type RefusalReason,
  type TraceStep,
} from '@sallyport/model';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OperatorVerdict } from '../authentication/operator-token.ts';
import type { ApiOptions } from './api-options.ts';
import { AttemptBound } from './attempt-bound.ts';
import { PROBLEM_TYPE, problem } from './problem.ts';
import type { Needs } from './route.ts';

const BEARER = /^Bearer +([\x21-\x7e]{1,512}) *$/i;
const ADDRESSES = 10_000;
const DEFAULT_ATTEMPTS = { burst: 10, refill: 6_000 };

/** The general cures speak of devices and applications. */
const OPERATOR_CURES: Partial<Readonly<Record<RefusalReason, string>>> = {
  missing_credential: FAILURES.unauthenticated.cure,
  unknown_identity:
    'Use the token of an operator who is registered here; a token of a device or application does not open the API.',
  wrong_secret: 'Use the token as it was shown when it was issued, or have an administrator issue a new one.',
  no_valid_credential: 'Have an administrator issue a new token for the operator.',
  principal_suspended: 'Have an administrator resume the operator, if the cause is gone.',
};

/** The operator whom the gate let in, in written form. */
export interface Admitted {
  readonly operator: string;
  readonly role: OperatorRole;
}

/** Why somebody was not let in, as it is to be answered. */
interface Turned {
  readonly problem: ReturnType<typeof problem>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Lets operators in, one request at a time. */
export type OperatorGate = ReturnType<typeof operatorGate>;

type Judged = Extract<OperatorVerdict, { outcome: 'accepted' }> | Rejected;
interface Rejected {
  readonly outcome: 'rejected';
  readonly reason: RefusalReason;
  readonly step: TraceStep;
  readonly cure?: string;
}

/**
 * Asks each request of a route for a bearer token and the role that the route needs, before a byte of its body is read.
 * Every refusal gets a ticket; the peer is told only the coarse reason. After too many failed attempts an address has to
 * wait, whatever it shows: else guessing would only be slow in the answer.
 */
export function operatorGate(
  options: Pick<
    ApiOptions,
    'authenticateOperator' | 'refusals' | 'addressLists' | 'guesses' | 'emit' | 'now' | 'attempts'
  >,
) {
  const { authenticateOperator, refusals, emit, now, attempts = DEFAULT_ATTEMPTS } = options;
  const bound = new AttemptBound({ ...attempts, addresses: ADDRESSES, now });

  function refuse(request: FastifyRequest, rejected: Rejected, principal?: string): { ticket: string; cure: string } {
    const row = REASONS[rejected.reason];
    const refusal = refusals.refuse({
      action: 'manage',
      reason: rejected.reason,
      reasonCode: row.reasonCode,
      address: addressOf(request),
      listener: 'https',
      resource: `${request.method} ${request.routeOptions.url ?? ''}`,
      steps: [rejected.step],
      cure: rejected.cure ?? OPERATOR_CURES[rejected.reason] ?? row.cure,
      ...(principal !== undefined && { principal }),
    });
    emit({ type: 'request.refused', refusal });
    return refusal;
  }

  /** The operator, or what is to be answered instead. */
  async function weigh(request: FastifyRequest, needs: OperatorRole): Promise<Admitted | Turned> {
    // A connection that was open before a list was turned on goes on, but nothing comes of it.
    const listed = options.addressLists.lists.judge('', addressOf(request));
    if (!listed.passes) {
      const { reason, step, cure } = listed;
      const { ticket } = refuse(request, { outcome: 'rejected', reason, step, cure });
      const text = 'The address of this request is refused by a list.';
      return { problem: problem('forbidden', text, { ticket, cure }), headers: {} };
    }
    const wait = bound.take(addressOf(request));
    if (wait > 0) {
      const step = failed(
        'limits',
        `Too many failed attempts from ${addressOf(request)}; the next is heard in ${wait} ms.`,
      );
      const { ticket } = refuse(request, { outcome: 'rejected', reason: 'too_many_attempts', step });
      const problems = problem('too_many_requests', 'Too many failed attempts came from this address.', { ticket });
      return { problem: problems, headers: { 'retry-after': String(Math.ceil(wait / 1000)) } };
    }
    const verdict = await judge(request);
    if (verdict.outcome === 'rejected') {
      const { ticket } = refuse(request, verdict);
      await options.guesses.failed({ address: addressOf(request), claim: '' }, verdict.reason);
      return {
        problem: problem('unauthenticated', 'No operator credential was shown, or it is not valid.', { ticket }),
        headers: { 'www-authenticate': challenge(verdict.reason) },
      };
    }
    bound.giveBack(addressOf(request));
    options.guesses.passed({ address: addressOf(request), claim: '' }, verdict.operator);

    const role = OPERATOR_ROLES.find((one) => verdict.roles.includes(one));
    if (role !== undefined && mayUse(role, needs)) return { operator: verdict.operator, role };
    const lack = `${verdict.operator} has the role ${role ?? 'none'}; this needs the role ${needs}.`;
    const step: TraceStep = {
      ...failed('authorization', lack),
      compared: { what: 'role', found: role ?? 'none', expected: needs },
    };
    const cure = `Ask an operator with the role ${needs}.`;
    const rejected = { outcome: 'rejected', reason: 'operator_not_permitted', step, cure } as const;
    const { ticket } = refuse(request, rejected, verdict.operator);
    return { problem: problem('forbidden', lack, { ticket, cure }), headers: {} };
  }

  async function admit(
    request: FastifyRequest,
    reply: FastifyReply,
    needs: OperatorRole,
  ): Promise<Admitted | undefined> {
    const weighed = await weigh(request, needs);
    if (!('problem' in weighed)) return weighed;
    reply.headers(weighed.headers);
    send(reply, weighed.problem);
    return undefined;
  }

  async function judge(request: FastifyRequest): Promise<Judged> {
    const header = request.headers.authorization;
    if (header === undefined) return rejected('missing_credential', 'The request has no header Authorization.');
    const token = BEARER.exec(header)?.[1];
    if (token === undefined)
      return rejected('missing_credential', 'The header Authorization is not of the form "Bearer TOKEN".');
    return authenticateOperator(token);
  }

  return { admit, weigh };
}

/** Whether a role may use a route: each role may do what the lesser ones may. */
export function mayUse(role: OperatorRole, needs: Needs): boolean {
  return needs === 'nobody' || OPERATOR_ROLES.indexOf(role) <= OPERATOR_ROLES.indexOf(needs);
}

/** A socket that listens on IPv6 too shows IPv4 peers in mapped form. */
export function addressOf(request: FastifyRequest): string {
  return request.ip.replace(/^::ffff:(?=\d+\.)/i, '');
}

function rejected(reason: RefusalReason, text: string): Rejected {
  return { outcome: 'rejected', reason, step: failed('authentication', text) };
}

function failed(stage: TraceStep['stage'], text: string): TraceStep {
  return { stage, outcome: 'failed', text };
}

/** RFC 6750 section 3: no error code where no token was shown. */
function challenge(reason: RefusalReason): string {
  return reason === 'missing_credential'
    ? 'Bearer realm="sallyport"'
    : 'Bearer realm="sallyport", error="invalid_token"';
}

function send(reply: FastifyReply, body: ReturnType<typeof problem>): void {
  reply.code(body.status).type(PROBLEM_TYPE).header('cache-control', 'no-store').send(JSON.stringify(body));
}
