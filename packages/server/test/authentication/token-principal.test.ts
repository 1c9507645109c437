import { principalName } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { checkPrincipalTemplate, principalOfToken } from '../../src/authentication/token-principal.ts';

describe('whom a token names', () => {
  it.each([
    ['application:{client_id}', { client_id: 'desk' }, 'application:demo/desk'],
    ['device:{sub}', { sub: 'pump/pump-7' }, 'device:demo/pump/pump-7'],
    ['device:pump/{sub}', { sub: 'pump-7' }, 'device:demo/pump/pump-7'],
    ['gateway:{type}/{serial}', { type: 'hub', serial: 'hub-1' }, 'gateway:demo/hub/hub-1'],
    ['{sub}', { sub: 'device:pump/pump-7' }, 'device:demo/pump/pump-7'],
    ['{sub}', { sub: 'device:demo/pump/pump-7' }, 'device:demo/pump/pump-7'],
    ['{sub}', { sub: 'application:demo/desk' }, 'application:demo/desk'],
    ['application:{https://login.example/app}', { 'https://login.example/app': 'desk' }, 'application:demo/desk'],
  ])('by %s and %j is %s', (template, claims, name) => {
    expect(checkPrincipalTemplate(template).ok).toBe(true);
    const found = principalOfToken(template, claims, 'demo');
    expect(found.ok && principalName(found.value)).toBe(name);
  });

  it.each([
    ['application:{client_id}', {}],
    ['application:{client_id}', { client_id: '' }],
    ['application:{client_id}', { client_id: 7 }],
    ['application:{client_id}', { client_id: ['desk'] }],
    ['application:{client_id}', { client_id: 'other/desk' }],
    ['application:{client_id}', { client_id: 'a b' }],
    ['application:{client_id}', { client_id: '..' }],
    ['application:{toString}', {}],
    ['application:{__proto__}', {}],
    ['device:{sub}', { sub: 'other/pump/pump-7' }],
    ['device:{sub}', { sub: 'pump' }],
    ['device:pump/{sub}', { sub: 'a/b' }],
    ['device:pump/{sub}', { sub: '../x' }],
    ['{sub}', { sub: 'operator:admin' }],
    ['{sub}', { sub: 'device:other/pump/pump-7' }],
    ['{sub}', { sub: 'pump-7' }],
    ['{sub}', { sub: 'x'.repeat(300) }],
  ])('by %s and %j is nobody', (template, claims) => {
    expect(principalOfToken(template, claims, 'demo').ok).toBe(false);
  });
});

describe('how an issuer names principals', () => {
  it.each([
    '',
    'application:desk',
    'operator:{sub}',
    'application:{sub',
    'application:{}',
    'x{sub}',
    'application:{sub}}',
    'demo/{sub}',
  ])('cannot be said by %j', (template) => {
    expect(checkPrincipalTemplate(template).ok).toBe(false);
  });
});
