import { UsageError } from '../report-failure.ts';

/** Reads `TYPE/VERSION`. */
export function releaseNamed(text: string): { readonly type: string; readonly version: string } {
  const [type = '', version = '', ...more] = text.split('/');
  if (type === '' || version === '' || more.length > 0) {
    throw new UsageError(`"${text}" names no release.`, 'Write TYPE/VERSION, for example pump/1.2.0.');
  }
  return { type, version };
}
