import type { Application } from '@sallyport/application';
import { type DeskCommandRequest, type DeskManner, Failure } from '@sallyport/model';

/** A command as the person put it. */
export type AskedCommand = Omit<DeskCommandRequest, 'manner'>;

/** One way of sending a command. */
export interface Manner extends DeskManner {
  /** Answers by what name a refusal of the device will call it, if it can refuse. Throws the Failure with which the server refused it. */
  readonly send: (command: AskedCommand) => Promise<string | undefined>;
}

const LONGEST = 32 * 1024;
const LEVEL = /^[^/+#\p{Cc}]{1,128}$/u;

/**
 * What the page asks for, checked.
 *
 * @throws Failure `invalid_request` that names the field
 */
export function readCommand(request: unknown, manners: readonly Manner[]): AskedCommand & { readonly manner: Manner } {
  const fields = new Map(Object.entries(typeof request === 'object' && request !== null ? request : {}));
  const text = (field: string): string => {
    const value: unknown = fields.get(field);
    if (typeof value === 'string') return value;
    throw new Failure('invalid_request', `The command has no ${field}.`, { cure: 'Fill the form in wholly.' });
  };
  const level = (field: string, what: string): string => {
    const value = text(field);
    if (LEVEL.test(value)) return value;
    throw new Failure('invalid_request', `"${value.slice(0, 40)}" cannot be the ${what}.`, {
      cure: `Write the ${what} without "/", "+" and "#".`,
    });
  };
  const content = text('text');
  if (content.length > LONGEST) {
    throw new Failure('invalid_request', `The content is longer than ${LONGEST} characters.`, { cure: 'Shorten it.' });
  }
  const manner = manners.find(({ id }) => id === text('manner'));
  if (manner === undefined) {
    throw new Failure('invalid_request', 'The desk knows no such way of sending.', { cure: 'Load the page again.' });
  }
  return {
    type: level('type', 'device type'),
    id: level('id', 'device id'),
    name: level('name', 'name of the command'),
    text: content,
    manner,
  };
}

/** JSON where the text is JSON, else the text itself. */
export function commandContent(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Unsigned, for devices that ask for no signature. */
export function plainManner(application: Pick<Application, 'sendCommand'>): Manner {
  return {
    id: 'plain',
    name: 'Plain',
    meaning: 'Sent as it is, as devices take it that ask for no signature.',
    honest: true,
    send: (command) => sent(application, command, {}),
  };
}

/** Signed with the keys of the application, and sealed as well. */
export function protectedManners(application: Pick<Application, 'sendCommand'>): readonly Manner[] {
  return [
    {
      id: 'signed',
      name: 'Signed',
      meaning: 'Signed by this application for this device, good for two minutes.',
      honest: true,
      send: (command) => sent(application, command, { seal: false }),
    },
    {
      id: 'sealed',
      name: 'Signed and sealed',
      meaning: 'Nobody but the device can read it, the server neither. The device must have introduced itself.',
      honest: true,
      send: (command) => sent(application, command, { seal: true }),
    },
  ];
}

async function sent(
  application: Pick<Application, 'sendCommand'>,
  { type, id, name, text }: AskedCommand,
  options: { readonly seal?: boolean },
): Promise<string | undefined> {
  return (await application.sendCommand({ type, id }, name, commandContent(text), options)).message;
}
