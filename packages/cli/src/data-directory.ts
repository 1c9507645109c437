import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a running server says about itself in `server.json` of its data directory. */
export interface ServerFile {
  readonly pid: number;
  /** MQTT over TLS; null if it is switched off. */
  readonly mqttPort: number | null;
  readonly httpPort: number;
  /** Enrolment by certificate; null if it is switched off. */
  readonly enrolmentPort?: number | null;
  readonly address: string;
}

/** Where things lie in a data directory. */
export function dataDirectoryPaths(directory: string) {
  return {
    root: join(directory, 'pki', 'root.pem'),
    operatorToken: join(directory, 'operator.token'),
    server: join(directory, 'server.json'),
    database: join(directory, 'registry.db'),
    countries: join(directory, 'countries.mmdb'),
    demonstration: join(directory, 'demo'),
  } as const;
}

/** The server that runs on this data directory, if one does. */
export function runningServer(directory: string): ServerFile | undefined {
  let file: ServerFile;
  try {
    file = JSON.parse(readFileSync(dataDirectoryPaths(directory).server, 'utf8')) as ServerFile;
  } catch {
    return undefined;
  }
  const whole = Number.isInteger(file?.pid) && Number.isInteger(file?.httpPort);
  return whole && typeof file.address === 'string' && isAlive(file.pid) ? file : undefined;
}

/** The host name to reach a server by that listens on this address: one that is in its certificate. */
export function hostFor(address: string): string {
  return ['127.0.0.1', '::1', '0.0.0.0', '::'].includes(address) ? 'localhost' : address;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process cannot be signalled, but it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
