// @ts-check
/**
 * Writes docs/reference/ from the built code, so that it says what the code does. With --check, writes nothing and fails
 * if a page would change.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { idsIn, readStatements } from './check-conformance.mjs';
import { BOUNDS } from './device-size.mjs';
import { pageWithVectors } from './vectors.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'docs', 'reference');

/**
 * A module of a package as it was compiled: the tables are no part of the public doors.
 * @param {string} path below packages/
 * @returns {Promise<any>}
 */
function compiled(path) {
  return import(new URL(`../packages/${path}`, import.meta.url).href);
}

/** @param {unknown} value */
function cell(value) {
  return String(value ?? '')
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|');
}

/** @param {unknown} value */
function code(value) {
  const text = String(value ?? '');
  return text === '' ? '' : `\`${cell(text)}\``;
}

/** @param {string[]} head @param {string[][]} rows */
function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** @param {number} reasonCode */
function hexadecimal(reasonCode) {
  return `\`0x${reasonCode.toString(16).toUpperCase().padStart(2, '0')}\``;
}

/** @param {string} title @param {string} introduction @param {string[]} parts */
function page(title, introduction, ...parts) {
  const warning = '<!-- Generated from the code by `npm run generate`; changes made here are lost. -->';
  return `${[`# ${title}`, warning, introduction, ...parts].join('\n\n')}\n`;
}

async function configuration() {
  const { describeConfiguration, describeSections } = await compiled('server/dist/config/keys.js');
  /** @type {{ key: string, type: string, default: string, bounds: string, meaning: string }[]} */
  const keys = describeConfiguration();
  /** @type {{ key: string, meaning: string }[]} */
  const sections = describeSections();
  /** @param {string} key */
  const sectionOf = (key) => (key.includes('.') ? key.slice(0, key.lastIndexOf('.')) : '');
  /** @param {string} section */
  const rowsOf = (section) =>
    keys
      .filter(({ key }) => sectionOf(key) === section)
      .map((row) => [code(row.key), cell(row.type), code(row.default), cell(row.bounds), cell(row.meaning)]);
  const head = ['key', 'type', 'default', 'bounds', 'meaning'];
  const parts = sections.flatMap(({ key, meaning }) => {
    const rows = rowsOf(key);
    return rows.length === 0 ? [`## ${key}`, meaning] : [`## ${key}`, meaning, table(head, rows)];
  });
  return page(
    'Configuration',
    'One YAML file, given with `--config`; without one every key has its default. Unknown keys are errors. Durations are written `500ms`, `30s`, `5m`, `12h`, `7d`; sizes `64KiB`, `1MiB`.',
    table(head, rowsOf('')),
    ...parts,
  );
}

async function limits() {
  const { describeConfiguration, describeSections } = await compiled('server/dist/config/keys.js');
  /** @type {{ key: string, default: string, bounds: string, meaning: string, reached?: string }[]} */
  const keys = describeConfiguration().filter(
    (/** @type {{ key: string, reached?: string }} */ { key, reached }) =>
      key.startsWith('limits.') || reached !== undefined,
  );
  /** @type {{ key: string, meaning: string }[]} */
  const sections = describeSections();
  const { TYPE_LIMITS } = await compiled('model/dist/type-limits.js');
  const ofTypes = Object.entries(TYPE_LIMITS).map(([name, { minimum, maximum, meaning }]) => [
    code(name),
    `${minimum} to ${maximum}`,
    cell(meaning),
  ]);
  const parts = sections.flatMap(({ key, meaning }) => {
    const rows = keys
      .filter((row) => row.key.slice(0, row.key.lastIndexOf('.')) === key)
      .map((row) => [
        code(row.key.slice(key.length + 1)),
        code(row.default),
        cell(row.bounds),
        cell(row.meaning),
        cell(row.reached),
      ]);
    const head = ['key', 'default', 'bounds', 'what it bounds', 'when it is met'];
    return rows.length === 0 ? [] : [`## ${key}`, meaning, table(head, rows)];
  });
  return page(
    'Limits',
    'Everything that a client can make grow has a bound. Codes are those of MQTT 5, in brackets what a client of MQTT 3.1.1 gets where that is told. Each bound that refuses or slows somebody leaves a ticket: `sallyport explain TICKET` shows what was found, what is allowed, and the key to change. The keys are set in the configuration file; `unlimited` is a value of rates only.',
    '## Which bound holds',
    'Several bounds stand before the same thing, and each of them holds: those of the listener and of the whole server (`limits`), those of the organisation (`limits.organisations`, over all its principals), and those of the principal. The last are, in this order: the narrow ones of a principal that is [contained](../guide/incidents.md) by `throttle`; those that its device type has of its own; those of its kind in the configuration (`limits.devices`, `limits.gateways`, `limits.applications`). The bound of a type may be narrower or wider than that of the configuration. What a refusal says can be done names the place where the bound is set.',
    '## Bounds of a device type',
    'Set with `sallyport type set pump --limits maximumMessageRate=20 maximumQueuedSize=1MiB`, or as `limits` of a type in the API; `--limits maximumMessageRate=` takes that of the configuration again. A change holds at once in live sessions: rates, subscriptions to come and queues. `receiveMaximum` and `maximumInflight` were told to the client and change with its next connection; `maximumSessions` and `maximumConnectRate` are asked then too. Sizes are bytes.',
    table(['name', 'bounds', 'what it bounds'], ofTypes),
    ...parts,
  );
}

async function failures() {
  const { FAILURES } = await compiled('model/dist/failure.js');
  const rows = Object.entries(FAILURES).map(([name, row]) => [
    code(name),
    row.severity,
    String(row.httpStatus),
    hexadecimal(row.reasonCode),
    cell(row.meaning),
    cell(row.cure),
  ]);
  return page(
    'Failures',
    'Something did not work. The code is the same in log lines, in `--json` output and in the `code` of an API problem; the MQTT 5 reason code is what an affected client is told.',
    table(['code', 'severity', 'HTTP', 'MQTT 5', 'meaning', 'what to do'], rows),
  );
}

async function refusals() {
  const { REASONS } = await compiled('model/dist/reason.js');
  const rows = Object.entries(REASONS).map(([name, row]) => [
    code(name),
    row.stage,
    String(row.connack3),
    hexadecimal(row.reasonCode),
    String(row.httpStatus),
    cell(row.meaning),
    cell(row.cure),
  ]);
  return page(
    'Refusals',
    'Why a connection, a publish, a subscription, a delivery or an API call was refused. The client gets only the coarse code and a ticket; `sallyport explain TICKET` shows the reason with everything that was compared, and often a cure that is more exact than the one here.',
    table(['reason', 'stage', 'CONNACK of 3.1.1', 'MQTT 5', 'HTTP', 'meaning', 'what to do'], rows),
  );
}

async function auditEvents() {
  const { AUDIT_EVENTS } = await compiled('server/dist/audit/audit-events.js');
  const rows = Object.entries(AUDIT_EVENTS).map(([name, row]) => [
    code(name),
    cell(row.meaning),
    row.details.map(code).join(', '),
  ]);
  return page(
    'Audit events',
    'Types of the rows of the audit trail (`sallyport audit`, `GET /api/v1/audit`). Each row also has its sequence number, time, and, where they apply, who acted, on what, organisation, principal, address, outcome and ticket.',
    table(['type', 'meaning', 'details'], rows),
  );
}

async function metrics() {
  const { METERS } = await compiled('server/dist/metrics/meters.js');
  /** @type {string[][]} */
  const rows = METERS.map((/** @type {{ name: string, kind: string, meaning: string }} */ row) => [
    code(row.name),
    row.kind,
    cell(row.meaning),
  ]);
  return page(
    'Metrics',
    '`GET /api/v1/metrics` with the token of an operator, in the text format of Prometheus. Beside these there are those of the process (`process_…`, `nodejs_…`).',
    table(['name', 'kind', 'meaning'], rows),
  );
}

async function cli() {
  const { describeCommands } = await compiled('cli/dist/describe-commands.js');
  /** @typedef {{ name?: string, flags?: string, description: string }} Term */
  /** @type {{ path: string, description: string, usage: string, arguments: Term[], options: Term[], examples: string[] }[]} */
  const commands = describeCommands();
  const parts = commands.flatMap((command) => {
    const terms = [...command.arguments, ...command.options].map((term) => [
      code(term.name ?? term.flags),
      cell(term.description),
    ]);
    return [
      `## ${command.path}`,
      ...(command.description === '' ? [] : [`${command.description.replace(/\.?$/, '.')}`]),
      `\`\`\`\n${[command.usage, ...command.examples.map((example) => `$ ${example}`)].join('\n')}\n\`\`\``,
      ...(terms.length === 0 ? [] : [table(['argument or option', 'meaning'], terms)]),
    ];
  });
  return page(
    'The sallyport command',
    'Lines that begin with `$` are examples. The options of `sallyport` itself work with every command.',
    ...parts,
  );
}

async function builtinPolicy() {
  const { formatPolicy, WATSON_POLICY } = await compiled('policy/dist/index.js');
  return page(
    'The built-in policy',
    'These statements hold in every organisation: the topic rules of the Watson IoT Platform, written as policy. An organisation adds statements of its own; a deny overrides every permit, the order does not matter, and what no statement permits is denied.',
    `\`\`\`yaml\n${formatPolicy(WATSON_POLICY).trimEnd()}\n\`\`\``,
  );
}

async function mqttConformance() {
  const { AREAS, BELOW_5, FIVE } = await readStatements(ROOT);
  /** @type {Map<string, Map<string, string>>} */
  const names = new Map();
  for (const [area, path] of Object.entries(AREAS)) names.set(area, idsIn(readFileSync(join(ROOT, path), 'utf8')));
  /** @param {string} version @param {readonly import('./check-conformance.mjs').Row[]} rows */
  const rowsOf = (version, rows) =>
    rows.map(([id, area, gist, stricter]) => [
      `MQTT-${id}`,
      cell(gist),
      `${code(AREAS[area])}: ${cell(names.get(area)?.get(`${version} MQTT-${id}`))}`,
      cell(stricter),
    ]);
  const head = ['statement', 'what it asks, in a few words', 'the test that shows it', 'where Sallyport is stricter'];
  return page(
    'MQTT conformance',
    'Every normative statement of MQTT 3.1.1 and MQTT 5 that concerns a server, and the test that shows it. The words here are only a reminder: the standards of OASIS say what holds. Statements that bind clients alone are left out. `npm run check` fails if a statement has no test that carries its number.',
    '## Stricter on purpose',
    [
      '- There are no anonymous clients, and nothing is permitted that no policy permits: connecting with a client id, publishing, subscribing, and receiving each single message.',
      '- Everything that a client can make grow has a bound ([limits](limits.md)). MQTT 5 clients are told the bounds in CONNACK.',
      '- A session belongs to the principal that opened it. Nobody else resumes it or takes it over, whatever client ids a policy permits.',
      '- A payload that says it is UTF-8 and is not, is refused (0x99).',
      '- Clients in the style of the Watson IoT Platform (`d:`, `g:`, `a:`, `A:`) retain nothing and are held to its topic rules.',
    ].join('\n'),
    '## MQTT 3.1.1',
    table(head, rowsOf('3.1.1', BELOW_5)),
    '## MQTT 5',
    table(head, rowsOf('5', FIVE)),
  );
}

async function deviceSize() {
  /** @param {number} bytes */
  const readable = (bytes) => (bytes % 1_048_576 === 0 ? `${bytes / 1_048_576} MiB` : `${bytes / 1024} KiB`);
  return page(
    'Size of the device SDK',
    'What a device has to hold. The tests of this project measure each of these, with everything that the package needs, and fail if one grows beyond its bound.',
    table(
      ['what', 'at most'],
      [
        [
          'installed from npm, without what is optional',
          `${readable(BOUNDS.installed)} in ${BOUNDS.packages} packages`,
        ],
        ['in one file for Node, minified: everything that the package exports', readable(BOUNDS.bundledForNode)],
        ['a page that connects a device, minified and compressed as it travels', readable(BOUNDS.page)],
        ['the same, with signed commands and sealed payloads', readable(BOUNDS.protectedPage)],
      ],
    ),
  );
}

/** @type {Record<string, () => Promise<string>>} */
const PAGES = {
  'audit-events.md': auditEvents,
  'cli.md': cli,
  'configuration.md': configuration,
  'device-size.md': deviceSize,
  'failures.md': failures,
  'limits.md': limits,
  'metrics.md': metrics,
  'mqtt-conformance.md': mqttConformance,
  'policy-builtin.md': builtinPolicy,
  'refusals.md': refusals,
  'sealed-payloads.md': () => pageWithVectors('sealed-payloads.md'),
  'signed-commands.md': () => pageWithVectors('signed-commands.md'),
};

const checking = process.argv.includes('--check');
mkdirSync(FOLDER, { recursive: true });
/** @type {string[]} */
const stale = [];
for (const [name, write] of Object.entries(PAGES)) {
  const path = join(FOLDER, name);
  const text = await write();
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale.push(name);
  if (!checking) writeFileSync(path, text);
}
for (const name of readdirSync(FOLDER)) {
  if (name !== 'README.md' && name.endsWith('.md') && !PAGES[name]) stale.push(`${name} (written by nobody)`);
}
if (checking && stale.length > 0) {
  console.error(`docs/reference is stale: ${stale.join(', ')}; run npm run generate and commit the result`);
  process.exitCode = 1;
} else {
  console.log(stale.length === 0 ? 'docs/reference is up to date' : `wrote ${stale.join(', ')} in docs/reference`);
}
