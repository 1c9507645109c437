import type { TraceStep } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import type { Evidence, Grounds } from '../../src/authentication/authenticator.ts';
import { deviceTokenAuthenticator } from '../../src/authentication/device-token.ts';
import type { Exchange } from '../../src/authentication/exchange.ts';
import type { ExchangeMethod, ExchangeStep } from '../../src/authentication/exchange-method.ts';
import { requirement } from '../../src/authentication/requirement.ts';
import { countingTokens, device, evidence, NOW, token } from './known.ts';

const PUMP = 'device:demo/pump/pump-7';
const CLIENT = 'd:demo:pump:pump-7';
const STEP: TraceStep = { stage: 'authentication', outcome: 'passed', text: 'Answered.' };

function accepted(grounds: Grounds, data?: Uint8Array): ExchangeStep {
  return { outcome: 'accepted', grounds, step: STEP, ...(data === undefined ? {} : { data }) };
}

const GROUNDS: Grounds = {
  principal: { kind: 'device', organisation: 'demo', type: 'pump', id: 'pump-7' },
  credential: 'c9',
  credentialKind: 'access-token',
  roles: [],
  grants: [],
};

function exchangeOf(method: string, answers: readonly (string | undefined)[], renewal = false) {
  const asked: string[] = [];
  const concluded: string[] = [];
  const left = [...answers];
  const exchange: Exchange = {
    method,
    renewal,
    ask(data) {
      asked.push(Buffer.from(data).toString());
      const answer = left.shift();
      return Promise.resolve(answer === undefined ? undefined : { data: Buffer.from(answer) });
    },
    conclude: (data) => void concluded.push(Buffer.from(data).toString()),
  };
  return { exchange, asked, concluded };
}

const ENDLESS: ExchangeMethod = {
  name: 'ENDLESS',
  kind: 'proof',
  begin() {
    const again = (): ExchangeStep => ({ outcome: 'continue', data: Buffer.from('again'), next: again });
    return again();
  },
};
const ECHO: ExchangeMethod = {
  name: 'ECHO',
  kind: 'proof',
  begin: () => ({
    outcome: 'continue',
    data: Buffer.from('who?'),
    next: (data) =>
      Buffer.from(data ?? []).toString() === 'me'
        ? accepted(GROUNDS, Buffer.from('bye'))
        : { outcome: 'rejected', reason: 'wrong_secret', step: { ...STEP, outcome: 'failed' } },
  }),
};
const SEEN: Grounds[] = [];
const PRESENCE: ExchangeMethod = {
  name: 'PRESENCE',
  kind: 'presence',
  begin(_, __, grounds) {
    SEEN.push(grounds!);
    return ECHO.begin(_, __, grounds);
  },
};

function door(known = device([token('c1', 'right'), token('c9', 'x')])) {
  const findPrincipal = (name: string) => (name === PUMP ? known : undefined);
  const satisfy = requirement({
    findPrincipal,
    organisationExists: () => true,
    now: () => NOW,
    methods: [ENDLESS, ECHO, PRESENCE],
    authenticators: [
      {
        proof: 'token',
        authenticator: deviceTokenAuthenticator({ findPrincipal, tokens: countingTokens(), now: () => NOW }),
      },
    ],
  });
  return async (shown: Evidence) => {
    const steps: TraceStep[] = [];
    return { answer: await satisfy(shown, steps), steps };
  };
}

describe('a method of the kind proof', () => {
  it('stands in place of user name and password', async () => {
    const { exchange, asked, concluded } = exchangeOf('ECHO', ['me']);
    const { answer } = await door()({ ...evidence(CLIENT), exchange });
    expect(answer).toMatchObject({ outcome: 'satisfied', grounds: { credential: 'c9', grants: [] } });
    expect([asked, concluded]).toEqual([['who?'], ['bye']]);
  });

  it('is the only proof that counts: a right token beside it is not looked at', async () => {
    const { exchange } = exchangeOf('ECHO', ['you']);
    const { answer } = await door()({ ...evidence(CLIENT, 'use-token-auth', 'right'), exchange });
    expect(answer).toMatchObject({ outcome: 'unsatisfied', reason: 'wrong_secret' });
  });

  it('is broken off when the client goes away, or when it takes too long', async () => {
    for (const [name, answers] of [
      ['ECHO', []],
      ['ENDLESS', Array(20).fill('x')],
    ] as const) {
      const { exchange, asked } = exchangeOf(name, answers);
      const { answer } = await door()({ ...evidence(CLIENT), exchange });
      expect(answer).toMatchObject({ outcome: 'unsatisfied', reason: 'exchange_broken_off' });
      expect(asked.length).toBeLessThanOrEqual(8);
    }
  });

  it('is refused by its name where it is not offered', async () => {
    const { exchange } = exchangeOf('echo', []);
    const { answer, steps } = await door()({ ...evidence(CLIENT, 'use-token-auth', 'right'), exchange });
    expect(answer).toMatchObject({ outcome: 'unsatisfied', reason: 'unsupported_authentication_method' });
    expect(steps[0]?.compared).toMatchObject({ found: '"echo"', expected: 'ENDLESS, ECHO, PRESENCE' });
  });

  it('is not asked before the level is content', async () => {
    const { exchange, asked } = exchangeOf('ECHO', ['me']);
    const known = device([token('c9', 'x')], { security: 'tls-certificate' });
    const { answer } = await door(known)({ ...evidence(CLIENT), exchange });
    expect(answer).toMatchObject({ outcome: 'unsatisfied', reason: 'certificate_required' });
    expect(asked).toEqual([]);
  });
});

describe('a method of the kind presence', () => {
  it('is asked of who has proven who it is, and told so', async () => {
    const { exchange } = exchangeOf('PRESENCE', ['me']);
    const { answer } = await door()({ ...evidence(CLIENT, 'use-token-auth', 'right'), exchange });
    expect(answer).toMatchObject({ outcome: 'satisfied', present: true, grounds: { credential: 'c1' } });
    expect(SEEN.at(-1)).toMatchObject({ credential: 'c1' });
  });

  it('is not asked of who has not', async () => {
    const { exchange, asked } = exchangeOf('PRESENCE', ['me']);
    const { answer } = await door()({ ...evidence(CLIENT, 'use-token-auth', 'wrong'), exchange });
    expect(answer).toMatchObject({ outcome: 'unsatisfied', reason: 'wrong_secret' });
    expect(asked).toEqual([]);
  });

  it('is not offered within a session', async () => {
    const { exchange } = exchangeOf('PRESENCE', ['me'], true);
    const { answer } = await door()({ ...evidence(CLIENT, 'use-token-auth', 'right'), exchange });
    expect(answer).toMatchObject({ reason: 'unsupported_authentication_method' });
  });
});
