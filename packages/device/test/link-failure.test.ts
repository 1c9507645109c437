import { Failure } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { isTemporary, linkFailure, RefusedByServer, ticketIn } from '../src/link-failure.ts';

const coded = (code: string, message = code) => Object.assign(new Error(message), { code });

describe('linkFailure', () => {
  it.each([
    ['ECONNREFUSED', 'server_unreachable'],
    ['ENOTFOUND', 'server_unreachable'],
    ['ETIMEDOUT', 'server_unreachable'],
    ['EPROTO', 'server_unreachable'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'server_unreachable'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'server_not_trusted'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'server_not_trusted'],
    ['CERT_HAS_EXPIRED', 'server_not_trusted'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'server_not_trusted'],
    ['ECONNRESET', 'connection_lost'],
  ])('calls %s %s and names the server', (code, expected) => {
    const failure = linkFailure(coded(code), 'iot.example:8883');
    expect(failure.code).toBe(expected);
    expect(failure.message).toContain('iot.example:8883');
    expect(failure.cure).not.toBe('');
  });

  it('tells a missing answer from a refusal', () => {
    expect(linkFailure(new Error('connack timeout'), 'h:1').code).toBe('server_unreachable');
  });

  it('leaves a failure as it is', () => {
    const failure = new Failure('queue_full', 'full');
    expect(linkFailure(failure, 'h:1')).toBe(failure);
  });
});

describe('refusals', () => {
  it('finds the ticket in a reason string and nowhere else', () => {
    expect(ticketIn('ticket 7Q4XKM')).toBe('7Q4XKM');
    expect(ticketIn('ticket 7q4xkm')).toBeUndefined();
    expect(ticketIn('tickets')).toBeUndefined();
    expect(ticketIn(undefined)).toBeUndefined();
  });

  it('names the ticket in the cure', () => {
    expect(new RefusedByServer('connection_refused', 'no', 0x87, '7Q4XKM').cure).toContain('sallyport explain 7Q4XKM');
    expect(new RefusedByServer('connection_refused', 'no', 5, undefined).ticket).toBeUndefined();
  });

  it('does not call a refused credential temporary', () => {
    expect([4, 5, 0x86, 0x87, 0x85, 0x8c].some(isTemporary)).toBe(false);
    expect([3, 0x88, 0x89, 0x8b, 0x97, 0x9f].every(isTemporary)).toBe(true);
  });
});
