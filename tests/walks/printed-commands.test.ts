import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../packages/cli/src/program.ts';
import { recordingTerminal } from '../../packages/cli/test/recording-terminal.ts';

type Command = ReturnType<typeof createProgram>;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const program = createProgram({ terminal: recordingTerminal('').terminal, now: Date.now });

/** What ends a command in a line of a shell, or in a sentence about one. */
const END = /^(?:[|;&#)]|>|…$|\.\.\.$)/;

/** The command that is meant where none is named; commander tells nobody. */
function defaultOf(command: Command): string | undefined {
  return (command as unknown as { readonly _defaultCommandName?: string })._defaultCommandName;
}

/** What is wrong with a printed command: a word that is no command, or an option that the command does not have. */
function problemOf(words: readonly string[]): string | undefined {
  const chain: Command[] = [program];
  for (const word of words) {
    if (END.test(word)) return undefined;
    const command = chain[0] as Command;
    if (word.startsWith('--')) {
      const [name] = word.split('=');
      const fallback = command.commands.find((one) => one.name() === defaultOf(command));
      const isKnown = [...chain, program, ...(fallback ? [fallback] : [])].some(({ options }) =>
        options.some(({ long }) => long === name),
      );
      if (!isKnown && name !== '--help') return `${command.name()} has no option ${name}`;
      continue;
    }
    const below = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (below) chain.unshift(below);
    else if (command.commands.length > 0 && command.registeredArguments.length === 0 && /^[a-z][a-z-]+$/.test(word))
      return `${command.name()} has no command ${word}`;
  }
  return undefined;
}

/** Every `sallyport …` in a text: in lines of a shell, with those that they go on in, and between backquotes. */
function commandsIn(text: string): readonly (readonly string[])[] {
  const lines = text
    .replaceAll(/ *\\\n\s*/g, ' ')
    .split('\n')
    .flatMap((line) => /^\s*(?:\$ |# )?(?:npx )?sallyport +(.*)$/.exec(line)?.[1] ?? []);
  const quoted = [...text.matchAll(/`(?:npx )?sallyport ([^`\n]+)`/g)].map((found) => found[1] ?? '');
  return (
    [...lines, ...quoted]
      .map((line) => line.replaceAll('\\', '').trim().split(/\s+/))
      .map(([first = '', ...rest]) => [first.startsWith('${') ? 'device' : first, ...rest])
      // So are processes called that nobody starts by hand.
      .filter(([first]) => first !== 'worker')
  );
}

function filesIn(folder: string, ending: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !/(?:^|\/)(?:node_modules|dist)\//.test(name))
    .map((name) => join(folder, name));
}

const wrongIn = (files: readonly string[]): readonly string[] =>
  files.flatMap((file) =>
    commandsIn(readFileSync(join(ROOT, file), 'utf8')).flatMap((words) => {
      const problem = problemOf(words);
      return problem === undefined ? [] : [`${file}: sallyport ${words.join(' ')}: ${problem}`];
    }),
  );

describe('commands that people are told to type exist, with their options', () => {
  it('on the pages', () => {
    expect(
      wrongIn([...filesIn('docs/guide', '.md'), ...filesIn('docs/operations', '.md'), ...filesIn('examples', '.md')]),
    ).toEqual([]);
  });

  it('in reasons, cures and messages', () => {
    expect(
      wrongIn(
        ['model', 'server', 'cli', 'trust', 'application', 'device'].flatMap((name) =>
          filesIn(`packages/${name}/src`, '.ts'),
        ),
      ),
    ).toEqual([]);
  });

  it('and the check finds those that do not', () => {
    const found = (text: string) => commandsIn(text).map(problemOf);
    expect(found('$ npx sallyport device update meter/meter-1 --owner x')).toEqual(['device has no command update']);
    expect(found('Say `sallyport device set a/b --ownr x`.')).toEqual(['set has no option --ownr']);
    expect(found('$ sallyport device set a/b \\\n    --owner x | head --lines 3')).toEqual([undefined]);
  });
});
