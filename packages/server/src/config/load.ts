import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Failure } from '@sallyport/model';
import { contradictions } from './contradictions.ts';
import { explainIssues } from './problems.ts';
import { CONFIGURATION, type Configuration } from './schema.ts';
import { type Source, yamlSource } from './source.ts';

export interface LoadOptions {
  /** Path of the YAML file. Without one, the defaults hold. */
  readonly file?: string;
  /** By dotted key, for example `{ 'listeners.mqttTls.port': 0 }`. They win over the file and pass the same checks. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  /** How a dotted key is called on the command line, for error messages: `{ 'listeners.mqttTls.port': '--mqtt-port' }`. */
  readonly optionNames?: Readonly<Record<string, string>>;
}

const MAXIMUM_FILE_SIZE = 1024 * 1024;

/**
 * Reads the configuration once and freezes it.
 *
 * Throws the failure `configuration_invalid`, which names every problem with file, line and column, what was found and what is expected.
 */
export function loadConfiguration(options: LoadOptions = {}): Configuration {
  const { file, overrides = {}, optionNames = {} } = options;
  const source = yamlSource(file, file === undefined ? '' : readFile(file), overrides, optionNames);
  if (source.problems.length > 0) throw invalid(source, source.problems);

  const parsed = CONFIGURATION.safeParse(source.value);
  if (!parsed.success) throw invalid(source, explainIssues(parsed.error.issues, source));
  const contradicting = contradictions(parsed.data, source);
  if (contradicting.length > 0) throw invalid(source, contradicting);

  const base = file !== undefined && source.setIn('dataDirectory') === 'file' ? dirname(file) : '.';
  const here = file === undefined ? '.' : dirname(file);
  return deepFreeze({
    ...parsed.data,
    organisations: parsed.data.organisations.map((block) => withPaths(block, here)),
    dataDirectory: resolve(base, parsed.data.dataDirectory),
  });
}

function invalid(source: Source, problems: readonly string[]): Failure {
  const where = source.name === undefined ? 'The configuration' : `The configuration file ${source.name}`;
  const message =
    problems.length === 1
      ? `${where} is not valid: ${problems[0]}`
      : `${where} is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`;
  return new Failure('configuration_invalid', message);
}

/** Every key that ends in `File` is a path; a relative one counts from the folder of the configuration file. */
function withPaths<T>(value: T, folder: string): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]: [string, unknown]) =>
      key.endsWith('File') && typeof part === 'string' && part !== 'none'
        ? [key, resolve(folder, part)]
        : [key, withPaths(part, folder)],
    ),
  ) as T;
}

function readFile(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MAXIMUM_FILE_SIZE) {
      throw new Failure(
        'configuration_invalid',
        `The configuration file ${file} has ${size} bytes; 1 MiB is the most that is read.`,
      );
    }
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure(
      'configuration_invalid',
      `The configuration file ${file} cannot be read: ${(cause as Error).message}`,
      { cause, cure: 'Check the path after --config and the permissions of the file.' },
    );
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
