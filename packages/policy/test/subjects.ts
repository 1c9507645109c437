import type { Subject } from '../src/decision.ts';

export const PUMP: Subject = {
  principal: { kind: 'device', organisation: 'demo', type: 'pump', id: 'pump-7' },
  clientId: 'd:demo:pump:pump-7',
  roles: [],
  address: '192.168.1.9',
  transport: 'tls',
  secure: true,
  assurance: 'full',
  credentialKind: 'token',
};

export const HUB: Subject = {
  ...PUMP,
  principal: { kind: 'gateway', organisation: 'demo', type: 'hub', id: 'hub-1' },
  clientId: 'g:demo:hub:hub-1',
  roles: ['gateway-standard'],
};

export const DESK: Subject = {
  ...PUMP,
  principal: { kind: 'application', organisation: 'demo', id: 'desk' },
  clientId: 'a:demo:desk',
  roles: ['standard'],
};

/** 2030-01-15T12:00:00Z */
export const NOON = Date.UTC(2030, 0, 15, 12);
