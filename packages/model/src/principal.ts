import { type Parsed, parsed, unparsed } from './parsed.ts';

/** Who is acting, once proven. A gateway is a device that may speak for the devices attached to it. */
export type Principal = DevicePrincipal | ApplicationPrincipal | OperatorPrincipal;

export interface DevicePrincipal {
  readonly kind: 'device' | 'gateway';
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
}

export interface ApplicationPrincipal {
  readonly kind: 'application';
  readonly organisation: string;
  readonly id: string;
}

/** A person who runs the platform. Operators belong to no organisation and never connect over MQTT. */
export interface OperatorPrincipal {
  readonly kind: 'operator';
  readonly id: string;
}

/** The one written form, used in policies, audit, commands and pages: `device:demo/pump/pump-7`, `application:demo/desk`, `operator:ann`. */
export function principalName(principal: Principal): string {
  switch (principal.kind) {
    case 'device':
    case 'gateway':
      return `${principal.kind}:${principal.organisation}/${principal.type}/${principal.id}`;
    case 'application':
      return `application:${principal.organisation}/${principal.id}`;
    case 'operator':
      return `operator:${principal.id}`;
  }
}

const SHAPES: Record<string, { readonly parts: number; readonly form: string }> = {
  device: { parts: 3, form: 'device:ORGANISATION/TYPE/ID' },
  gateway: { parts: 3, form: 'gateway:ORGANISATION/TYPE/ID' },
  application: { parts: 2, form: 'application:ORGANISATION/ID' },
  operator: { parts: 1, form: 'operator:ID' },
};

/** Reads the written form of {@link principalName}. */
export function parsePrincipal(text: string): Parsed<Principal> {
  const colon = text.indexOf(':');
  const kind = text.slice(0, Math.max(colon, 0));
  const shape = SHAPES[kind];
  if (colon < 0 || !shape) {
    return unparsed(
      `"${text}" does not name a principal; write ${Object.values(SHAPES)
        .map((s) => s.form)
        .join(', ')}`,
    );
  }
  const parts = text.slice(colon + 1).split('/');
  if (parts.length !== shape.parts || parts.some((part) => part === '')) {
    return unparsed(`"${text}" is not of the form ${shape.form}`, colon + 1);
  }
  const [first = '', second = '', third = ''] = parts;
  if (kind === 'device' || kind === 'gateway') return parsed({ kind, organisation: first, type: second, id: third });
  if (kind === 'application') return parsed({ kind, organisation: first, id: second });
  return parsed({ kind: 'operator', id: first });
}
