import type { Refusal } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { explanationText, refusalText } from '../src/explanation-text.ts';

const REFUSAL: Refusal = {
  ticket: '7Q4XKM',
  at: '2026-01-31T12:00:00.000Z',
  lastAt: '2026-01-31T12:00:30.000Z',
  count: 3,
  action: 'connect',
  reason: 'wrong_user_name',
  reasonCode: 0x87,
  clientId: 'd:demo:pump:pump-7',
  address: '127.0.0.1',
  steps: [
    { stage: 'transport', outcome: 'passed', text: 'TLS 1.3.' },
    {
      stage: 'authentication',
      outcome: 'failed',
      text: 'The user name is another.',
      compared: { what: 'user name', found: 'use-auth-token\u001b[2J', expected: 'use-token-auth' },
    },
  ],
  cure: 'Devices use use-token-auth.',
};

describe('explanations', () => {
  it('tell who was refused what, the whole way, what was compared and the cure', () => {
    const text = refusalText(REFUSAL);
    expect(text).toContain('Ticket 7Q4XKM: d:demo:pump:pump-7 was refused to connect');
    expect(text).toContain('3 times');
    expect(text).toMatch(/✓ transport.*\n.*✗ authentication/);
    expect(text).toContain('expected use-token-auth');
    expect(text).toContain('What to do: Devices use use-token-auth.');
  });

  it('do not let what a stranger sent steer the terminal', () => {
    expect(refusalText(REFUSAL)).not.toContain('\u001b');
  });

  it('say which full topic a short one stands for', () => {
    const question = { as: 'device:demo/pump/pump-7', action: 'publish', resource: 'iot-2/evt/a/fmt/json' } as const;
    const resolved = 'iot-2/type/pump/id/pump-7/evt/a/fmt/json';
    const text = explanationText({ question, effect: 'permit', resolved, statements: [], steps: [] });
    expect(text).toContain(`may publish iot-2/evt/a/fmt/json (that is ${resolved})`);
    expect(text).not.toContain('What to do');
  });
});
