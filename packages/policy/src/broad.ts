// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import type { PolicyDocument, PolicyStatement } from './document.ts';

/** A statement that opens so much that everybody who runs the server should know of it. */
export interface BroadStatement {
  readonly id: string;
  readonly why: string;
}

const WHOLE_SPACES = ['iot-2', 'iotdevice-1', 'iotdm-1'];

/**
 * The permits of a document that reach beyond a principal's own place: every topic, every topic of the devices, or client
 * ids of others. They are allowed, and announced at every start.
 */
export function broadStatements(document: PolicyDocument): readonly BroadStatement[] {
  const found: BroadStatement[] = [];
  for (const statement of document.statements) {
    if (statement.effect !== 'permit') continue;
    const resource = statement.resources.find((text) => broadness(text, statement.actions) !== undefined);
    if (resource === undefined) continue;
    const whom = statement.principals.join(', ');
    found.push({
      id: statement.id,
      why: `permits ${whom} to ${statement.actions.join(', ')} ${broadness(resource, statement.actions)} ("${resource}")`,
    });
  }
  return found;
}

function broadness(resource: string, actions: PolicyStatement['actions']): string | undefined {
  if (actions.includes('connect')) {
    if (resource === '*') return 'with any client id';
    // A prefix that ends before the principal's own name takes in the client ids of others.
    return resource.endsWith('*') && !resource.includes('${principal.id}')
      ? 'with the client ids of others'
      : undefined;
  }
  if (actions.includes('manage')) return resource === '#' ? 'on every route' : undefined;
  const levels = resource.split('/');
  if (levels[0] === '#' || levels[0] === '+')
    return levels.at(-1) === '#' ? 'on every topic' : 'on topics of every kind';
  const [head = '', ...rest] = levels;
  const whole = WHOLE_SPACES.includes(head) && rest.at(-1) === '#' && rest.slice(0, -1).every((level) => level === '+');
  return whole || resource === 'iot-2/type/+/id/+/#' ? 'on every topic of every device' : undefined;
}
