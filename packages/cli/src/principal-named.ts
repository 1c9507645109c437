import type { Administration } from './administration.ts';
import { UsageError } from './report-failure.ts';
import { applicationReference, deviceReference } from './thing-names.ts';

/** A device, gateway or application that exists, by how it is named on the command line. */
export interface NamedPrincipal {
  readonly organisation: string;
  /** Written form. */
  readonly principal: string;
  readonly id: string;
}

/** Finds what `TYPE/ID` or `application:ID` names. */
export async function principalNamed(administration: Administration, text: string): Promise<NamedPrincipal> {
  const { management } = administration;
  if (text.startsWith('application:')) return applicationNamed(administration, text);
  const { organisation: named, type, id } = deviceReference(text);
  if (id === undefined) {
    throw new UsageError(`"${text}" names no single device.`, 'Write TYPE/ID, for example pump/pump-7.');
  }
  const organisation = await administration.organisation(named);
  const { principal } = await management.devices.get({ organisation, type, id });
  return { organisation, principal, id };
}

/** Finds the application of an id. */
export async function applicationNamed(administration: Administration, text: string): Promise<NamedPrincipal> {
  const reference = applicationReference(text);
  const organisation = await administration.organisation(reference.organisation);
  const { principal, id } = await administration.management.applications.get({ organisation, id: reference.id });
  return { organisation, principal, id };
}
