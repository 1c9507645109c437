import type { ClaimBook } from './claim-book.ts';
import type { ClaimAnswer } from './claim-request.ts';
import type { Office } from './office.ts';
import { OFFICE, type Team } from './team.ts';

/** The book in the office itself. */
export function ownBook(book: ClaimBook): Office {
  return {
    claim: (request) => book.claim(OFFICE, request),
    settle: async (id, opened, will) => book.settle(OFFICE, id, opened, will),
    away: (organisation, clientId) => book.away(OFFICE, organisation, clientId),
    gone: (organisation, clientId) => book.gone(OFFICE, organisation, clientId),
    keep: (organisation, clientId, principal) => book.keep(OFFICE, organisation, clientId, principal),
  };
}

/** The book from another worker. */
export function farBook(team: Team): Office {
  return {
    claim: async (request) => (await team.ask(OFFICE, { do: 'claim', request })) as ClaimAnswer | undefined,
    settle: async (id, opened, will) =>
      (await team.ask(OFFICE, { do: 'settle', id, opened, ...(will === undefined ? {} : { will }) })) === true,
    away: (organisation, clientId) => team.say(OFFICE, { say: 'away', organisation, clientId }),
    gone: (organisation, clientId) => team.say(OFFICE, { say: 'gone', organisation, clientId }),
    keep() {
      throw new TypeError('only the office takes sessions from the store');
    },
  };
}
