import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'vitest';

/** The Debian package that brings a program, where it is named otherwise. */
const DEBIAN_PACKAGE: Record<string, string> = {
  mosquitto_pub: 'mosquitto-clients',
  mosquitto_sub: 'mosquitto-clients',
  initdb: 'postgresql',
  postgres: 'postgresql',
  'nats-server': 'nats-server',
  'softhsm2-util': 'softhsm2',
  'pkcs11-tool': 'opensc',
};

/** Servers are often installed where only the PATH of root leads. */
function folders(): string[] {
  const found = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/usr/bin'];
  try {
    for (const version of readdirSync('/usr/lib/postgresql')) found.push(join('/usr/lib/postgresql', version, 'bin'));
  } catch {
    // No PostgreSQL from Debian on this machine.
  }
  return [...new Set(found.filter((folder) => folder !== ''))];
}

function candidates(program: string): string[] {
  return folders()
    .map((folder) => join(folder, program))
    .filter((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Stands for the engine through which OpenSSL speaks PKCS#11. */
export const PKCS11_ENGINE = 'libengine-pkcs11-openssl';

function pkcs11Engine(): string | undefined {
  const libraries = readdirSync('/usr/lib').filter((folder) => folder.endsWith('-linux-gnu'));
  const files = [...libraries, '.'].map((folder) => join('/usr/lib', folder, 'engines-3', 'pkcs11.so'));
  return files.find((file) => existsSync(file));
}

/** A Python that has the module; a machine may have several Pythons, and Debian's modules belong to /usr/bin/python3 only. */
function pythonWith(module: string): string | undefined {
  return candidates('python3').find((python) => {
    try {
      execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Path of a program that a test needs, or undefined if this machine has none.
 * `python3-paho-mqtt` stands for a python3 that can import `paho.mqtt.client`.
 */
export function findProgram(program: string): string | undefined {
  if (program === 'python3-paho-mqtt') return pythonWith('paho.mqtt.client');
  if (program === PKCS11_ENGINE) return pkcs11Engine();
  return candidates(program)[0];
}

function absence(missing: readonly string[]): string {
  const packages = [...new Set(missing.map((program) => DEBIAN_PACKAGE[program] ?? program))];
  return `${missing.join(', ')} not found; on Debian: apt-get install ${packages.join(' ')}`;
}

/**
 * Describes tests that need programs of this machine. Where one is missing they are skipped and their name says why; with
 * SALLYPORT_REQUIRE_ALL=1 they fail instead. `body` gets the paths by program name.
 */
export function describeWith(
  programs: readonly string[],
  name: string,
  body: (paths: Readonly<Record<string, string>>) => void,
): void {
  const paths: Record<string, string> = {};
  const missing: string[] = [];
  for (const program of programs) {
    const path = findProgram(program);
    if (path === undefined) missing.push(program);
    else paths[program] = path;
  }
  if (missing.length === 0) {
    describe(name, () => body(paths));
    return;
  }
  const required = process.env.SALLYPORT_REQUIRE_ALL === '1';
  describe.skipIf(!required)(`${name} (${absence(missing)})`, () => {
    test('has the programs that it needs', () => {
      throw new Error(absence(missing));
    });
  });
}

/** For a single test: the program's path; where it is missing, skips the test, or fails it with SALLYPORT_REQUIRE_ALL=1. */
export function requireProgram(program: string, context: { skip(note: string): never }): string {
  const path = findProgram(program);
  if (path !== undefined) return path;
  if (process.env.SALLYPORT_REQUIRE_ALL === '1') throw new Error(absence([program]));
  return context.skip(absence([program]));
}
