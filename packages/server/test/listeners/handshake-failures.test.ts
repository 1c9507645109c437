import type { Refusal } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import type { ServerEvent } from '../../src/events/events.ts';
import { handshakeFailures } from '../../src/listeners/handshake-failures.ts';

describe('handshakeFailures', () => {
  it('keeps a refusal with the cure of its reason and announces it', () => {
    const events: ServerEvent[] = [];
    const report = handshakeFailures({
      refuse: (refusal) => ({ ...refusal, ticket: 'ABC123', at: '', lastAt: '', count: 1 }) as Refusal,
      emit: (event) => events.push(event),
    });
    report({
      listener: 'mqtt-tls',
      remoteAddress: '192.0.2.1',
      remotePort: 5,
      problem: 'tls_version_too_old',
      detail: 'The client offers no TLS version that is accepted.',
      tlsVersion: 'TLSv1.1',
      serverName: 'broker.example',
    });
    expect(events).toMatchObject([
      {
        type: 'handshake.refused',
        refusal: {
          ticket: 'ABC123',
          action: 'handshake',
          reason: 'tls_version_too_old',
          address: '192.0.2.1',
          listener: 'mqtt-tls',
          cure: expect.stringContaining('TLS 1.2'),
          steps: [
            {
              stage: 'transport',
              outcome: 'failed',
              text: 'The client offers no TLS version that is accepted. It offered TLSv1.1 at most. It asked for the server name "broker.example".',
            },
          ],
        },
      },
    ]);
  });
});
