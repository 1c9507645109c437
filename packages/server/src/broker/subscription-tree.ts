import { type Branching, branch, branchOut, cutBranch, hasBranches } from './branches.ts';
import { Few } from './few.ts';
import type { ShareGroup, Subscription } from './route.ts';

/** What a tree can hold. */
interface Placed {
  readonly filter: string;
  /** Group that shares the messages of this filter. */
  readonly share: string | undefined;
}

/** Branches by the text of the level; `+` and `#` are texts like others. */
interface Node<S extends Placed> extends Branching<Node<S>> {
  subscriptions: Few<S> | undefined;
  groups: Map<string, ShareGroup<S>> | undefined;
}

/** Told what a topic matches. */
export interface MatchVisitor<S extends Placed = Subscription> {
  subscription(subscription: S): void;
  group(group: ShareGroup<S>): void;
}

/** Subscriptions of one organisation, by the levels of their filters. */
export class SubscriptionTree<S extends Placed = Subscription> {
  readonly #root: Node<S> = emptyNode();

  add(subscription: S): void {
    let node = this.#root;
    for (const level of subscription.filter.split('/')) node = branchOut(node, level, emptyNode<S>);
    if (subscription.share === undefined) {
      node.subscriptions ??= new Few();
      node.subscriptions.add(subscription);
      return;
    }
    node.groups ??= new Map();
    const group = node.groups.get(subscription.share);
    if (group) group.members.add(subscription);
    else node.groups.set(subscription.share, { members: new Set([subscription]), turn: 0 });
  }

  remove(subscription: S): void {
    const path: Node<S>[] = [this.#root];
    const levels = subscription.filter.split('/');
    for (const level of levels) {
      const child = branch(path[path.length - 1]!, level);
      if (child === undefined) return;
      path.push(child);
    }
    const node = path[path.length - 1]!;
    if (subscription.share === undefined) {
      node.subscriptions?.delete(subscription);
      if (node.subscriptions?.size === 0) node.subscriptions = undefined;
    } else {
      const group = node.groups?.get(subscription.share);
      group?.members.delete(subscription);
      if (group?.members.size === 0) node.groups?.delete(subscription.share);
      if (node.groups?.size === 0) node.groups = undefined;
    }
    for (let depth = levels.length; depth > 0 && isEmpty(path[depth]!); depth--) {
      cutBranch(path[depth - 1]!, levels[depth - 1]!);
    }
  }

  match(topic: string, visitor: MatchVisitor<S>): void {
    // A wildcard in the first level does not reach the server's own topics [MQTT-4.7.2-1].
    descend(this.#root, topic.split('/'), 0, visitor, topic.charCodeAt(0) === DOLLAR);
  }
}

const DOLLAR = 0x24;

function descend<S extends Placed>(
  node: Node<S>,
  levels: readonly string[],
  depth: number,
  visitor: MatchVisitor<S>,
  reserved: boolean,
): void {
  if (depth === levels.length) report(node, visitor);
  if (!hasBranches(node)) return;
  if (!reserved) {
    const all = branch(node, '#');
    if (all !== undefined) report(all, visitor);
  }
  if (depth === levels.length) return;
  const literal = branch(node, levels[depth]!);
  if (literal !== undefined) descend(literal, levels, depth + 1, visitor, false);
  const any = reserved ? undefined : branch(node, '+');
  if (any !== undefined) descend(any, levels, depth + 1, visitor, false);
}

function report<S extends Placed>(node: Node<S>, visitor: MatchVisitor<S>): void {
  if (node.subscriptions !== undefined) {
    for (const subscription of node.subscriptions) visitor.subscription(subscription);
  }
  if (node.groups !== undefined) for (const group of node.groups.values()) visitor.group(group);
}

function emptyNode<S extends Placed>(): Node<S> {
  return { level: undefined, only: undefined, children: undefined, subscriptions: undefined, groups: undefined };
}

function isEmpty<S extends Placed>(node: Node<S>): boolean {
  return !hasBranches(node) && node.subscriptions === undefined && node.groups === undefined;
}
