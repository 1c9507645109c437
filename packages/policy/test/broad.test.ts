// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import { describe, expect, it } from 'vitest';
import { broadStatements } from '../src/broad.ts';
import type { PolicyStatement } from '../src/document.ts';

function broad(
  actions: PolicyStatement['actions'],
  resource: string,
  effect: 'permit' | 'deny' = 'permit',
): string | undefined {
  const statement: PolicyStatement = {
    id: 's',
    effect,
    principals: ['application:demo/lab'],
    actions,
    resources: ['x', resource],
  };
  return broadStatements({ statements: [statement] })[0]?.why;
}

describe('broadStatements', () => {
  it('finds permits on every topic and with any client id', () => {
    expect(broad(['publish', 'subscribe'], '#')).toBe(
      'permits application:demo/lab to publish, subscribe on every topic ("#")',
    );
    expect(broad(['connect'], '*')).toBe('permits application:demo/lab to connect with any client id ("*")');
    expect(broad(['receive'], '+/#')).toContain('every topic');
    expect(broad(['receive'], '+/a')).toContain('every kind');
    expect(broad(['publish'], 'iot-2/#')).toContain('every device');
    expect(broad(['publish'], 'iot-2/type/+/id/+/#')).toContain('every device');
    expect(broad(['connect'], 'd:demo:*')).toContain('client ids of others');
    expect(broad(['manage'], '#')).toContain('every route');
  });

  it('leaves narrow permits and all denies alone', () => {
    expect(broad(['publish'], 'line-4/#')).toBeUndefined();
    expect(broad(['publish'], 'iot-2/type/pump/id/+/#')).toBeUndefined();
    expect(broad(['connect'], 'A:demo:${principal.id}:*')).toBeUndefined();
    expect(broad(['publish'], '#', 'deny')).toBeUndefined();
  });
});
