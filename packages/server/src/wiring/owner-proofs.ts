import { randomBytes } from 'node:crypto';
import { parsePrincipal } from '@sallyport/model';
import { oneTimeCodes } from '../authentication/one-time-code.ts';
import type { Configuration } from '../config/schema.ts';
import type { ServerEvent } from '../events/events.ts';
import { type OwnerLetter, OwnerProofs } from '../oauth/owner-proofs.ts';
import type { Registry } from '../registry/registry.ts';
import { configuredMail } from './mail.ts';

export interface OwnerProofsParts {
  readonly configuration: Pick<Configuration, 'unlock'>;
  readonly registry: Pick<Registry, 'devices' | 'types' | 'authenticators'>;
  readonly emit: (event: ServerEvent) => void;
  readonly now: () => number;
}

/** Whoever knows the address of an owner can have codes made and guess at them from many places: eight digits leave no hope. */
const DIGITS = 8;

/** How owners prove who they are on the approval page: by the mail server, the times and the bounds of one-time codes. */
export function ownerProofs({ configuration: { unlock }, registry, emit, now }: OwnerProofsParts): OwnerProofs {
  const send = configuredMail(unlock);
  const { devices, types, authenticators } = registry;
  return new OwnerProofs({
    codes: oneTimeCodes({
      key: randomBytes(32),
      random: randomBytes,
      now,
      lifetime: unlock.lifetime,
      digits: Math.max(unlock.digits, DIGITS),
    }),
    now,
    rules: unlock,
    authenticators,
    name: () => randomBytes(16).toString('base64url'),
    async ownerOf(written) {
      const principal = parsePrincipal(written);
      if (!principal.ok || !('type' in principal.value)) return undefined;
      const { organisation, type, id } = principal.value;
      const device = await devices.get({ organisation, type, id });
      return device.owner ?? (await types.get({ organisation, id: type })).owner;
    },
    ...(send && {
      deliver: (letter) => send({ to: [letter.owner], subject: subjectOf(letter), text: textOf(letter) }),
    }),
    onDefect: (problem) => emit({ type: 'defect', where: 'code for the owner of a device', problem }),
  });
}

function subjectOf({ principal }: OwnerLetter): string {
  return `Approve ${principal.replace(/^[a-z]+:[^/]*\//, '')}`;
}

function textOf({ code, principal, userCode, address, scopes, expiresAt }: OwnerLetter): string {
  return [
    `${code} is the code that proves that you are the owner of ${principal}.`,
    '',
    `A device that says that it is this one asks to be let in, from ${address}. It shows ${userCode.replace(/^(.{4})(.{4})$/, '$1-$2')}.`,
    ...(scopes.length === 0 ? [] : ['It wants to:', ...scopes.map((scope) => `  ${scope}`)]),
    '',
    `Enter the code on the page where you asked for it, before ${new Date(expiresAt).toISOString()}.`,
    'If you have asked for nothing, somebody else has: do nothing, and tell nobody the code.',
    '',
  ].join('\n');
}
