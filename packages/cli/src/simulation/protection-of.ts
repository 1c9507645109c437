import { readFile } from 'node:fs/promises';
import type { ProtectionOptions } from '@sallyport/device';
import { Failure } from '@sallyport/model';
import { readIdentity } from '@sallyport/trust';
import { connectAsOperator } from '../administration.ts';
import type { Invocation } from '../invocation.ts';
import { UsageError } from '../report-failure.ts';

export interface ProtectionChoice {
  /** Applications whose signed commands it follows. */
  readonly follow?: readonly string[];
  /** File of the device's identity. */
  readonly identity?: string;
  /** Applications for which it seals its readings. */
  readonly sealFor?: readonly string[];
}

/**
 * How the device guards its commands and seals its readings, by what the options name; undefined: not at all. Statements about the keys of
 * applications come from the server where an operator token is at hand, else from the applications themselves when they first speak.
 */
export async function protectionOf(
  call: Invocation,
  { follow, identity, sealFor }: ProtectionChoice,
  organisation: string,
): Promise<ProtectionOptions | undefined> {
  if (!follow && !sealFor && identity === undefined) return undefined;
  if (sealFor && identity === undefined) {
    throw new UsageError(
      'A device without an identity cannot seal.',
      'Make one with `sallyport device identity create`, and name its file with --identity.',
    );
  }
  if (!follow && !sealFor) {
    throw new UsageError('An identity alone does nothing.', 'Add --follow APPLICATION or --seal-for APPLICATION.');
  }
  const applications = follow ?? sealFor ?? [];
  return {
    applications: applications.map((application) => ({ application, commands: ['+'] })),
    ...(identity !== undefined && { identity: await identityIn(identity) }),
    ...(sealFor && { sealEventsFor: sealFor, statements: await statementsOf(call, organisation, sealFor) }),
  };
}

async function identityIn(file: string) {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Failure('invalid_request', `The file ${file} cannot be read.`, { cause, cure: 'Check its path.' });
  });
  return readIdentity(text);
}

async function statementsOf(
  call: Invocation,
  organisation: string,
  applications: readonly string[],
): Promise<readonly string[]> {
  try {
    const management = connectAsOperator(call.options);
    try {
      const found = await Promise.all(
        applications.map((id) =>
          management.identities.list(organisation, { principal: `application:${organisation}/${id}` }),
        ),
      );
      return found.flatMap(({ items }) => items.flatMap(({ jws }) => jws ?? []));
    } finally {
      management.close();
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    call.output.note(
      'Without an operator token the device learns the keys of applications when they first speak to it.',
    );
    return [];
  }
}
