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

  it.each([
    ['iot.example', 'server_certificate_rejected'],
    ['demo.messaging.example', 'server_certificate_rejected'],
    ['a.demo.messaging.example', 'server_name_unknown'],
    ['nobody.example', 'server_name_unknown'],
  ])('tells a client that went because the certificate lists another name than %s: %s', (serverName, reason) => {
    const kept: Refusal[] = [];
    const report = handshakeFailures({
      refuse: (refusal) => {
        kept.push({ ...refusal, ticket: 'ABC123', at: '', lastAt: '', count: 1 });
        return kept[0] as Refusal;
      },
      emit: () => {},
      ownNames: () => ['iot.example', '*.messaging.example'],
    });
    const detail = "The client rejected the server's certificate.";
    const peer = { listener: 'mqtt-tls', remoteAddress: '192.0.2.1', remotePort: 5 };
    report({ ...peer, problem: 'server_certificate_rejected', detail, serverName });
    expect(kept).toMatchObject([{ reason }]);
    if (reason === 'server_name_unknown') {
      const compared = { found: serverName, expected: 'iot.example, *.messaging.example' };
      expect(kept[0]?.steps[0]).toMatchObject({ compared });
    }
  });
});
