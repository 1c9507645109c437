import type { Route } from './route.ts';

/** The methods that the routes know for a path, HEAD with GET; none if no route has it. */
export function methodsOf(routes: readonly Route[], path: string): readonly string[] {
  const methods = new Set<string>();
  for (const route of routes) {
    if (!fits(route.path, path)) continue;
    methods.add(route.method);
    if (route.method === 'GET') methods.add('HEAD');
  }
  if (path === '/openapi.json') return ['GET', 'HEAD'];
  return [...methods].sort();
}

function fits(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((level, at) => level === given[at] || (level.startsWith(':') && given[at] !== ''))
  );
}
