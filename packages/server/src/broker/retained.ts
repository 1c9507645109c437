import { type Branching, branch, branches, branchOut, cutBranch, hasBranches } from './branches.ts';
import { type Message, messageSize } from './message.ts';

interface Node extends Branching<Node> {
  message: Message | undefined;
}

function emptyNode(): Node {
  return { level: undefined, only: undefined, children: undefined, message: undefined };
}

/** What a store of retained messages may hold. */
export interface RetainedBounds {
  readonly retainedMessages: number;
  readonly retainedBytes: number;
}

/** The last message of each topic of one organisation that was sent to be kept. Bounded in number and bytes. */
export class RetainedMessages {
  size = 0;
  bytes = 0;
  readonly #root = emptyNode();
  readonly #bounds: RetainedBounds;

  constructor(bounds: RetainedBounds) {
    this.#bounds = bounds;
  }

  /** Keeps a message in place of the one before [MQTT-3.3.1-5]. False if the bound is reached: then the older one is gone too. */
  set(message: Message): boolean {
    const older = this.get(message.topic);
    const freed = older === undefined ? 0 : messageSize(older);
    const size = messageSize(message);
    const isFull = older === undefined && this.size >= this.#bounds.retainedMessages;
    if (isFull || this.bytes - freed + size > this.#bounds.retainedBytes) {
      this.remove(message.topic);
      return false;
    }
    let node = this.#root;
    for (const level of message.topic.split('/')) node = branchOut(node, level, emptyNode);
    node.message = message;
    if (older === undefined) this.size++;
    this.bytes += size - freed;
    return true;
  }

  /** [MQTT-3.3.1-6], [MQTT-3.3.1-7]. */
  remove(topic: string): void {
    const levels = topic.split('/');
    const path: Node[] = [this.#root];
    for (const level of levels) {
      const child = branch(path[path.length - 1]!, level);
      if (child === undefined) return;
      path.push(child);
    }
    const node = path[path.length - 1]!;
    if (node.message === undefined) return;
    this.size--;
    this.bytes -= messageSize(node.message);
    node.message = undefined;
    for (let depth = levels.length; depth > 0; depth--) {
      const here = path[depth]!;
      if (here.message !== undefined || hasBranches(here)) return;
      cutBranch(path[depth - 1]!, levels[depth - 1]!);
    }
  }

  get(topic: string): Message | undefined {
    let node: Node | undefined = this.#root;
    for (const level of topic.split('/')) {
      node = branch(node, level);
      if (node === undefined) return undefined;
    }
    return node.message;
  }

  /** Every message, also those that have expired. */
  all(): Message[] {
    const found: Message[] = [];
    collectBelow(this.#root, false, found);
    return found;
  }

  /** Messages that a filter selects and that have not expired at `now`; those that have are dropped. */
  matching(filter: string, now: number): Message[] {
    const found: Message[] = [];
    collect(this.#root, filter.split('/'), 0, found);
    return found.filter((message) => {
      if (message.expiresAt === 0 || message.expiresAt > now) return true;
      this.remove(message.topic);
      return false;
    });
  }
}

function collect(node: Node, levels: readonly string[], depth: number, found: Message[]): void {
  const level = levels[depth];
  if (level === undefined) {
    if (node.message !== undefined) found.push(node.message);
  } else if (level === '#') {
    // "a/#" selects "a" too [MQTT-4.7.1-2]; "#" alone has no such level above it.
    if (depth > 0 && node.message !== undefined) found.push(node.message);
    collectBelow(node, depth === 0, found);
  } else if (level === '+') {
    for (const [name, child] of branches(node)) {
      if (depth > 0 || !name.startsWith('$')) collect(child, levels, depth + 1, found);
    }
  } else {
    const child = branch(node, level);
    if (child !== undefined) collect(child, levels, depth + 1, found);
  }
}

function collectBelow(node: Node, top: boolean, found: Message[]): void {
  for (const [name, child] of branches(node)) {
    if (top && name.startsWith('$')) continue;
    if (child.message !== undefined) found.push(child.message);
    collectBelow(child, false, found);
  }
}
