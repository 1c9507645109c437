import { Failure } from '@sallyport/model';
import type { FastifyRequest } from 'fastify';
import type { AuthorizationServer } from '../oauth/authorization-server.ts';
import type { DeviceRequest } from '../oauth/device-approval.ts';
import { approvalTickets } from './approval-ticket.ts';
import { AttemptBound } from './attempt-bound.ts';
import { type CodePage, codePage, decisionPage, donePage, mailedCodePage } from './oauth-pages.ts';
import { addressOf, type OperatorGate } from './operator-gate.ts';

interface ApprovalAnswer {
  readonly status: number;
  readonly html: string;
}

const TOO_LATE = 'You have looked at the request for too long, or the page was not made here. Begin anew.';
const NO_OWNER =
  'This does not prove that you are the owner of the device that shows this code: compare both codes, and look for the mail anew.';
const TOO_MANY = 'Too many attempts came from your address. Wait some minutes.';
const STATUS: Readonly<Record<string, number>> = { forbidden: 403, not_found: 404 };
const ADDRESSES = 10_000;
/** What one address may try as an owner. */
const OWNERS_BOUND = { burst: 20, refill: 6_000 };

/**
 * The steps of who approves a device: its code and a proof of who one is (operator or owner), then the decision. Nothing but what the
 * form holds speaks for anybody, so no other page can post in his name.
 */
export function approvalSteps(options: {
  readonly oauth: AuthorizationServer;
  readonly gate: OperatorGate;
  readonly now: () => number;
}): (organisation: string, request: FastifyRequest, form: URLSearchParams) => Promise<ApprovalAnswer> {
  const { oauth, gate, now } = options;
  const tickets = approvalTickets(now);
  const ownersBound = new AttemptBound({ ...OWNERS_BOUND, addresses: ADDRESSES, now });
  const again = (status: number, given: Omit<CodePage, 'owners'>): ApprovalAnswer => ({
    status,
    html: codePage({ ...given, owners: oauth.ownerProofs !== undefined }),
  });

  async function decide(organisation: string, userCode: string, form: URLSearchParams): Promise<ApprovalAnswer> {
    const by = tickets.holderOf(form.get('ticket') ?? '', organisation, userCode);
    if (by === undefined) return again(403, { userCode, problem: TOO_LATE });
    const approved = form.get('decision') === 'approve';
    const request = await oauth.decideDeviceRequest(organisation, { userCode, approved, by });
    return { status: 200, html: donePage(request, approved) };
  }

  function question(organisation: string, found: DeviceRequest, by: string): ApprovalAnswer {
    const ticket = tickets.issue(organisation, found.userCode, by);
    return { status: 200, html: decisionPage(found, organisation, ticket) };
  }

  async function asOperator(organisation: string, userCode: string, request: FastifyRequest): Promise<ApprovalAnswer> {
    const weighed = await gate.weigh(request, 'operator');
    if ('problem' in weighed) {
      const { status, detail, ticket } = weighed.problem;
      return again(status, { userCode, problem: ticket === undefined ? detail : `${detail} (ticket ${ticket})` });
    }
    return question(organisation, await oauth.findDeviceRequest(organisation, userCode), weighed.operator);
  }

  async function asOwner(
    organisation: string,
    userCode: string,
    request: FastifyRequest,
    form: URLSearchParams,
  ): Promise<ApprovalAnswer> {
    const proofs = oauth.ownerProofs;
    if (proofs === undefined) return again(403, { userCode, problem: NO_OWNER });
    const address = addressOf(request);
    if (ownersBound.take(address) > 0) return again(429, { userCode, problem: TOO_MANY });
    const find = () => oauth.findDeviceRequest(organisation, userCode);
    const mail = field(form, 'owner_mail');
    if (mail !== '') {
      const name = proofs.ask(find, mail.slice(0, 320), address);
      return { status: 200, html: mailedCodePage(userCode, name) };
    }
    // Whether there is such a device is told to nobody who is not its owner.
    const found = await find().catch((error: unknown) => {
      if (error instanceof Failure) return undefined;
      throw error;
    });
    const code = (field(form, 'app_code') || field(form, 'mailed_code')).replaceAll(/\s/g, '').slice(0, 16);
    const challenge = field(form, 'challenge').slice(0, 64);
    const by = found && (challenge === '' ? await proofs.byApp(found, code) : proofs.answer(challenge, code, found));
    if (found !== undefined && by !== undefined) return question(organisation, found, by);
    if (challenge === '') return again(403, { userCode, problem: NO_OWNER });
    return { status: 403, html: mailedCodePage(userCode, challenge, NO_OWNER) };
  }

  return async (organisation, request, form) => {
    const userCode = field(form, 'user_code').slice(0, 32);
    // The gate reads the header of the API; what came with this request besides the form does not count.
    request.headers.authorization = `Bearer ${field(form, 'operator_token')}`;
    const owner = ['owner_mail', 'app_code', 'challenge'].some((name) => field(form, name) !== '');
    const step = form.has('decision')
      ? decide(organisation, userCode, form)
      : owner && field(form, 'operator_token') === ''
        ? asOwner(organisation, userCode, request, form)
        : asOperator(organisation, userCode, request);
    return step.catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      return again(STATUS[error.code] ?? 503, { userCode, problem: `${error.message} ${error.cure}` });
    });
  };
}

function field(form: URLSearchParams, name: string): string {
  return (form.get(name) ?? '').trim();
}
