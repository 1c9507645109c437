import { type Parsed, parsed, unparsed } from './parsed.ts';

const LONGEST_ID = 36;
const STRANGER = /[^A-Za-z0-9_.-]/;

/** Reads the id of an organisation: 1 to 36 letters, digits, `_` and `.`; no `-`, because Watson clients split API keys there. */
export function parseOrganisationId(text: string): Parsed<string> {
  const hyphen = text.indexOf('-');
  if (hyphen >= 0)
    return unparsed('an organisation id may not contain "-", because clients split API keys there', hyphen);
  return parseId(text, 'an organisation id');
}

/** Reads the id of a device type: 1 to 36 letters, digits, `_`, `-` and `.`; case counts. */
export function parseTypeId(text: string): Parsed<string> {
  return parseId(text, 'a type id');
}

/** Reads the id of a device or gateway: 1 to 36 letters, digits, `_`, `-` and `.`; case counts. */
export function parseDeviceId(text: string): Parsed<string> {
  return parseId(text, 'a device id');
}

/** Reads the id of an application: 1 to 36 letters, digits, `_`, `-` and `.`; case counts. */
export function parseApplicationId(text: string): Parsed<string> {
  return parseId(text, 'an application id');
}

/** Reads the id of one instance of a scalable application: 1 to 36 letters, digits, `_`, `-` and `.`; case counts. */
export function parseInstanceId(text: string): Parsed<string> {
  return parseId(text, 'an instance id');
}

function parseId(text: string, what: string): Parsed<string> {
  if (text === '') return unparsed(`${what} may not be empty`);
  if (text.length > LONGEST_ID) {
    return unparsed(`${what} has at most ${LONGEST_ID} characters, this one has ${text.length}`, LONGEST_ID);
  }
  const stranger = STRANGER.exec(text);
  if (stranger) {
    return unparsed(
      `${what} consists of letters, digits, "_", "-" and "."; ${JSON.stringify(stranger[0])} is none`,
      stranger.index,
    );
  }
  // A level of only dots would be rewritten by URL parsers on its way to the API.
  if (text === '.' || text === '..') return unparsed(`${what} may not be "${text}"`);
  return parsed(text);
}
