import { Failure } from '@sallyport/model';
import type { FastifyRequest } from 'fastify';
import type { AuthorizationServer } from '../oauth/authorization-server.ts';
import { approvalTickets } from './approval-ticket.ts';
import { codePage, decisionPage, donePage } from './oauth-pages.ts';
import type { OperatorGate } from './operator-gate.ts';

interface ApprovalAnswer {
  readonly status: number;
  readonly html: string;
}

const TOO_LATE = 'You have looked at the request for too long, or the page was not made here. Begin anew.';
const STATUS: Readonly<Record<string, number>> = { forbidden: 403, not_found: 404 };

/**
 * The two steps of an owner who approves a device: code and operator token, then the decision. Nothing but what the form holds speaks
 * for the owner, so no other page can post in his name.
 */
export function approvalSteps(options: {
  readonly oauth: AuthorizationServer;
  readonly gate: OperatorGate;
  readonly now: () => number;
}): (organisation: string, request: FastifyRequest, form: URLSearchParams) => Promise<ApprovalAnswer> {
  const { oauth, gate } = options;
  const tickets = approvalTickets(options.now);

  async function decide(organisation: string, userCode: string, form: URLSearchParams): Promise<ApprovalAnswer> {
    const by = tickets.operatorOf(form.get('ticket') ?? '', organisation, userCode);
    if (by === undefined) return { status: 403, html: codePage({ userCode, problem: TOO_LATE }) };
    const approved = form.get('decision') === 'approve';
    const request = await oauth.decideDeviceRequest(organisation, { userCode, approved, by });
    return { status: 200, html: donePage(request, approved) };
  }

  async function look(organisation: string, userCode: string, request: FastifyRequest): Promise<ApprovalAnswer> {
    const weighed = await gate.weigh(request, 'operator');
    if ('problem' in weighed) {
      const { status, detail, ticket } = weighed.problem;
      const problem = ticket === undefined ? detail : `${detail} (ticket ${ticket})`;
      return { status, html: codePage({ userCode, problem }) };
    }
    const found = await oauth.findDeviceRequest(organisation, userCode);
    const ticket = tickets.issue(organisation, found.userCode, weighed.operator);
    return { status: 200, html: decisionPage(found, organisation, ticket) };
  }

  return async (organisation, request, form) => {
    const userCode = (form.get('user_code') ?? '').slice(0, 32);
    // The gate reads the header of the API; what came with this request besides the form does not count.
    request.headers.authorization = `Bearer ${(form.get('operator_token') ?? '').trim()}`;
    const step = form.has('decision') ? decide(organisation, userCode, form) : look(organisation, userCode, request);
    return step.catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      const problem = `${error.message} ${error.cure}`;
      return { status: STATUS[error.code] ?? 503, html: codePage({ userCode, problem }) };
    });
  };
}
