/**
 * The branches of a node in a tree of topic levels. Most nodes that are made for a device lead to one other, and need no map: the only
 * branch stands in the node itself.
 */
export interface Branching<N> {
  level: string | undefined;
  only: N | undefined;
  children: Map<string, N> | undefined;
}

export function hasBranches<N extends Branching<N>>({ only, children }: N): boolean {
  return only !== undefined || children !== undefined;
}

export function branch<N extends Branching<N>>(node: N, level: string): N | undefined {
  if (node.children !== undefined) return node.children.get(level);
  return node.level === level ? node.only : undefined;
}

/** The branch of a level, made if it is not there. */
export function branchOut<N extends Branching<N>>(node: N, level: string, make: () => N): N {
  const known = branch(node, level);
  if (known !== undefined) return known;
  const made = make();
  if (node.children !== undefined) node.children.set(level, made);
  else if (node.only === undefined) {
    node.level = level;
    node.only = made;
  } else {
    node.children = new Map([
      [node.level!, node.only],
      [level, made],
    ]);
    node.level = undefined;
    node.only = undefined;
  }
  return made;
}

export function cutBranch<N extends Branching<N>>(node: N, level: string): void {
  if (node.children === undefined) {
    if (node.level !== level) return;
    node.level = undefined;
    node.only = undefined;
    return;
  }
  node.children.delete(level);
  if (node.children.size === 0) node.children = undefined;
}

export function* branches<N extends Branching<N>>({ level, only, children }: N): Iterable<[string, N]> {
  if (children !== undefined) yield* children;
  else if (only !== undefined) yield [level!, only];
}
