import { UsageError } from './report-failure.ts';

/** A device as written on the command line; `id` is absent in `TYPE`, `organisation` in all but the long forms. */
export interface DeviceReference {
  readonly organisation?: string;
  readonly type: string;
  readonly id?: string;
}

/** Reads `TYPE`, `TYPE/ID`, `ORGANISATION/TYPE/ID` and the written form `device:ORGANISATION/TYPE/ID`. */
export function deviceReference(text: string): DeviceReference {
  const parts = text.replace(/^(device|gateway):/, '').split('/');
  const [first = '', second, third] = parts;
  if (parts.length > 3 || parts.includes('')) {
    throw new UsageError(`"${text}" does not name a device.`, 'Write TYPE/ID, for example pump/pump-7.');
  }
  if (third !== undefined && second !== undefined) return { organisation: first, type: second, id: third };
  return second === undefined ? { type: first } : { type: first, id: second };
}

/** Reads `ID`, `ORGANISATION/ID` and the written form `application:ORGANISATION/ID`. */
export function applicationReference(text: string): { readonly organisation?: string; readonly id: string } {
  const parts = text.replace(/^application:/, '').split('/');
  const [first = '', second] = parts;
  if (parts.length > 2 || parts.includes('')) {
    throw new UsageError(`"${text}" does not name an application.`, 'Write its id, for example desk.');
  }
  return second === undefined ? { id: first } : { organisation: first, id: second };
}
