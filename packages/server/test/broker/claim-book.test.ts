import { describe, expect, it } from 'vitest';
import { ClaimBook } from '../../src/broker/claim-book.ts';
import type { ClaimRequest } from '../../src/broker/claim-request.ts';

const ENDLESS = Number.POSITIVE_INFINITY;
const REQUEST: ClaimRequest = {
  organisation: 'demo',
  clientId: 'd:demo:pump:pump-7',
  principal: 'device:demo/pump/pump-7',
  hasTurn: false,
  limits: {
    connectRate: ENDLESS,
    takeoverRate: 1,
    connectDeadline: 0,
    principalSessions: 2,
    sessions: 10,
    organisationConnections: 10,
    scalableInstances: 10,
  },
};

/** Ten turns are had at once, and no more without waiting. */
const TURNS = 10;

function newBook(): ClaimBook {
  return new ClaimBook(
    () => 1000,
    () => {},
  );
}

/** Claims and expects to be granted. */
async function granted(book: ClaimBook, worker: number, request: ClaimRequest = REQUEST): Promise<number> {
  const answer = await book.claim(worker, request);
  if (!('id' in answer)) throw new Error(`not granted: ${JSON.stringify(answer)}`);
  return answer.id;
}

describe('the book of claims', () => {
  it('counts who comes while an older session makes way as one that pushes it out', async () => {
    const book = newBook();
    book.settle(1, await granted(book, 1), true);
    const claim = await granted(book, 2);
    // The connection that was there ends, and with it its session, before the newcomer has its own.
    book.gone(1, 'demo', REQUEST.clientId);
    let refused = 0;
    for (let index = 0; index < 3 * TURNS; index++) {
      void book.claim(1, REQUEST).then((answer) => {
        if ('refused' in answer && answer.refused.limit?.name === 'takeoverRate') refused++;
      });
    }
    await new Promise(setImmediate);
    expect(refused).toBe(3 * TURNS - (TURNS - 1));
    book.settle(2, claim, true);
  });

  it('counts a session once, whoever ended it and however its claim came out', async () => {
    const book = newBook();
    for (const opened of [true, false]) {
      book.settle(1, await granted(book, 1), true);
      expect(book.organisations.total('demo')).toBe(1);
      const claim = await granted(book, 2);
      book.gone(1, 'demo', REQUEST.clientId);
      book.settle(2, claim, opened);
      expect(book.organisations.total('demo')).toBe(opened ? 1 : 0);
      expect(book.principals.total(REQUEST.principal)).toBe(opened ? 1 : 0);
      if (opened) book.gone(2, 'demo', REQUEST.clientId);
      expect(book.organisations.total('demo')).toBe(0);
      expect(book.principals.total(REQUEST.principal)).toBe(0);
    }
  });

  it('counts a session once that is claimed while the worker that had it dies', async () => {
    const book = newBook();
    book.settle(1, await granted(book, 1), true);
    const claim = await granted(book, 2);
    book.bury(1);
    book.keep(0, 'demo', REQUEST.clientId, REQUEST.principal);
    book.taken(1);
    book.settle(2, claim, true);
    expect(book.ownerOf('demo', REQUEST.clientId)).toBe(2);
    expect(book.principals.total(REQUEST.principal)).toBe(1);
    expect(book.organisations.total('demo')).toBe(1);
    book.gone(2, 'demo', REQUEST.clientId);
    expect(book.principals.total(REQUEST.principal)).toBe(0);
    expect(book.organisations.total('demo')).toBe(0);
  });
});
