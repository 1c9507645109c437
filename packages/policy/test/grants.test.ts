import { filterCovers } from '@sallyport/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grantsPermit, grantText, MOST_GRANTS, nearestGrant, parseGrant } from '../src/grants.ts';
import { parseAuthorizationDetails, parseScope } from '../src/scopes.ts';

const PUMP = { kind: 'device', organisation: 'demo', type: 'pump', id: 'pump-7' } as const;

describe('grants', () => {
  const grants = [
    { action: 'publish', filter: 'line/+/state' },
    { action: 'subscribe', filter: 'line/4/#' },
  ] as const;

  it.each([
    ['publish', 'line/4/state', true],
    ['publish', 'line/4/other', false],
    ['publish', 'line/+/state', false],
    ['publish', '', false],
    ['subscribe', 'line/4/+', true],
    ['subscribe', 'line/4', true],
    ['subscribe', 'line/+/state', false],
    ['subscribe', '#', false],
    ['subscribe', 'line/4/a#', false],
    ['receive', 'line/4/state', true],
    ['receive', 'line/5/state', false],
    ['receive', 'line/4/#', false],
  ] as const)('%s of %s: %s', (action, resource, permitted) => {
    expect(grantsPermit(grants, action, resource)).toBe(permitted);
  });

  it('grant nothing if there are none, and never a topic of the system by a wildcard', () => {
    expect(grantsPermit([], 'publish', 'a')).toBe(false);
    expect(grantsPermit([{ action: 'subscribe', filter: '#' }], 'subscribe', '$SYS/#')).toBe(false);
    expect(grantsPermit([{ action: 'publish', filter: '#' }], 'publish', '$SYS/x')).toBe(false);
  });

  it('permit a subscription exactly where one granted filter contains it', () => {
    const level = fc.constantFrom('a', 'b', '+', '');
    const filter = fc.tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean()).map(([levels, open]) => {
      const text = [...levels, ...(open ? ['#'] : [])].join('/');
      return text === '' ? 'a' : text;
    });
    fc.assert(
      fc.property(filter, filter, (outer, inner) => {
        expect(grantsPermit([{ action: 'subscribe', filter: outer }], 'subscribe', inner)).toBe(
          filterCovers(outer, inner),
        );
      }),
    );
  });

  it('are read and written in one form, with the short topics of a device as its own', () => {
    const grant = parseGrant('publish:iot-2/evt/+/fmt/json', PUMP);
    expect(grant).toEqual({
      ok: true,
      value: { action: 'publish', filter: 'iot-2/type/pump/id/pump-7/evt/+/fmt/json' },
    });
    expect(grantText({ action: 'subscribe', filter: 'a/#' })).toBe('subscribe:a/#');
    for (const wrong of [
      '',
      'publish:',
      'receive:a',
      'publish',
      'PUBLISH:a',
      'publish:a/#/b',
      'publish:\0',
      ' publish:a',
    ]) {
      expect(parseGrant(wrong).ok, wrong).toBe(false);
    }
  });

  it('tell the nearest one', () => {
    expect(nearestGrant(grants, 'publish', 'line/4/stat')).toBe('line/+/state');
    expect(nearestGrant([], 'publish', 'a')).toBeUndefined();
  });
});

describe('scope', () => {
  it('is read by its own tokens, percent-encoded, and passes over those of others', () => {
    expect(parseScope('openid mqtt:publish:a%20b/%2B mqtt:subscribe:a/#')).toEqual({
      ok: true,
      value: [
        { action: 'publish', filter: 'a b/+' },
        { action: 'subscribe', filter: 'a/#' },
      ],
    });
    expect(parseScope('openid profile')).toEqual({ ok: true, value: undefined });
    expect(parseScope('')).toEqual({ ok: true, value: undefined });
  });

  it('is read once and not decoded again', () => {
    expect(parseScope('mqtt:publish:a%2523')).toEqual({ ok: true, value: [{ action: 'publish', filter: 'a%23' }] });
  });

  it.each([
    'mqtt:publish:',
    'mqtt:all',
    'mqtt:',
    'mqtt:publish:%ff',
    'mqtt:publish:%',
    'mqtt:publish:a/#/b mqtt:publish:b',
  ])('is refused as a whole for %s', (scope) => {
    expect(parseScope(`mqtt:subscribe:x ${scope}`).ok).toBe(false);
  });

  it('is bounded', () => {
    const scope = Array.from({ length: MOST_GRANTS + 1 }, (_, index) => `mqtt:publish:t/${index}`).join(' ');
    expect(parseScope(scope).ok).toBe(false);
  });
});

describe('authorization details', () => {
  it('of type mqtt grant each action on each topic', () => {
    const details = [
      { type: 'payment', amount: 3 },
      { type: 'mqtt', actions: ['publish', 'subscribe'], topics: ['a/+', 'b'] },
    ];
    const read = parseAuthorizationDetails(details);
    expect(read.ok && read.value?.map(grantText)).toEqual(['publish:a/+', 'publish:b', 'subscribe:a/+', 'subscribe:b']);
    expect(parseAuthorizationDetails([{ type: 'payment' }])).toEqual({ ok: true, value: undefined });
    expect(parseAuthorizationDetails(undefined)).toEqual({ ok: true, value: undefined });
  });

  it.each([
    ['no list', { type: 'mqtt' }],
    ['no object', ['mqtt']],
    ['no type', [{ actions: ['publish'], topics: ['a'] }]],
    ['no topics', [{ type: 'mqtt', actions: ['publish'] }]],
    ['an empty list', [{ type: 'mqtt', actions: [], topics: ['a'] }]],
    ['another action', [{ type: 'mqtt', actions: ['connect'], topics: ['a'] }]],
    ['a field that may restrict', [{ type: 'mqtt', actions: ['publish'], topics: ['a'], until: 'noon' }]],
    ['too many', [{ type: 'mqtt', actions: ['publish', 'subscribe'], topics: Array(200).fill('a') }]],
  ])('with %s are refused', (_, details) => {
    expect(parseAuthorizationDetails(details).ok).toBe(false);
  });
});
