import { rehearse as rehearseSequence } from '../domain/rehearsal/rehearse.ts';
import { parseScenario } from '../domain/rehearsal/scenario.ts';
import { formatTranscript, type Transcript, transcriptOf } from '../domain/rehearsal/transcript.ts';
import { parseSequence } from '../domain/sequence/parse-sequence.ts';
import { describeFileErrors, type FileError } from '../domain/yaml-file.ts';
import { unwrap } from '../sdk/index.ts';
import { type Answer, type Command, type Context, required } from './command.ts';
import { presetOrFile, readText } from './sequence-file.ts';

export const rehearse: Command = {
  summary: 'play a sequence over its days in a moment, without a server',
  usage: `rekindle rehearse <sequence | file.yaml> [--scenario file.yaml] [--from 2026-03-10T10:00] [--expect file] [--contact ID | --invented]

Says what would be sent, put off and left out, when and why, by the rules that dispatch real messages. <sequence> is one that comes with Rekindle,
such as cart, or a file of your own. Nothing is sent, and no server is asked.

--scenario    who is rehearsed and what happens meanwhile: opens, clicks, a reply, a purchase, an outage (docs/rehearsal.md)
--from        when the cart or lead was left, on the person's clock
--expect      a transcript to compare with; the exit status is 1 where they differ
--contact     a real person of the store, by id or email address: what the server knows of them counts, and the sequence's version in use there
--invented    an invented first customer of the store: its settings and connections count, and the version in use there`,
  example: 'rekindle rehearse cart --from 2026-03-10T20:30',
  takes: 1,
  options: {
    scenario: { type: 'string' },
    from: { type: 'string' },
    expect: { type: 'string' },
    contact: { type: 'string' },
    invented: { type: 'boolean' },
  },
  run(context) {
    const { args, options } = context;
    const [wanted] = args;
    if (options['contact'] !== undefined || options['invented'] === true) return onServer(context);
    const sequenceFile = presetOrFile(required(wanted, 'The sequence to rehearse'));
    const sequence = parseSequence(readText(sequenceFile));
    if (!sequence.ok) return Promise.resolve(mistakes(sequenceFile, sequence.errors));
    const scenarioFile = typeof options['scenario'] === 'string' ? options['scenario'] : null;
    const scenarioText = scenarioFile === null ? '' : readText(scenarioFile);
    const given = typeof options['from'] === 'string' ? `from: ${JSON.stringify(options['from'])}\n` : '';
    const scenario = parseScenario(given === '' ? scenarioText : `${withoutFrom(scenarioText)}\n${given}`, sequence.definition);
    if (!scenario.ok) return Promise.resolve(mistakes(scenarioFile ?? '--from', scenario.errors));
    const transcript = transcriptOf(rehearseSequence(sequence.definition, scenario.value.events, scenario.value.setting), scenario.value);
    return Promise.resolve(answerOf(transcript, options));
  },
};

/** For a real person, as the server knows them, or an invented one. */
async function onServer({ store, args: [wanted], options }: Context): Promise<Answer> {
  const what = required(wanted, 'The sequence to rehearse');
  const source = /[./]/.test(what) ? { yaml: readText(what) } : { sequence: what };
  const scenarioText = typeof options['scenario'] === 'string' ? readText(options['scenario']) : '';
  const from = typeof options['from'] === 'string' ? `from: ${JSON.stringify(options['from'])}\n` : '';
  const scenario = from === '' ? scenarioText : `${withoutFrom(scenarioText)}\n${from}`;
  const who = options['invented'] === true ? {} : { contact: required(options['contact'], 'The contact') };
  const body = { ...who, ...source, scenario };
  return answerOf(unwrap(await store.rehearsals.run(body)) as Transcript, options);
}

function answerOf(transcript: Transcript, options: Context['options']): Answer {
  const text = formatTranscript(transcript);
  if (typeof options['expect'] !== 'string') return { data: transcript, lines: [text] };
  const differences = differ(readText(options['expect']), text);
  return {
    data: { ...transcript, differences },
    lines: differences.length === 0 ? [`As ${options['expect']} says.`] : [`Not as ${options['expect']} says:`, '', ...differences],
    failed: differences.length > 0,
  };
}

function mistakes(file: string, errors: readonly FileError[]) {
  return { data: { file, errors }, lines: [describeFileErrors(file, errors)], failed: true };
}

/** The command line's time counts, not the file's; the other lines keep their numbers. */
const withoutFrom = (text: string) => text.replace(/^from:.*$/m, '');

/** The lines that differ, `-` as expected, `+` as it is now, in order. */
function differ(expected: string, actual: string): string[] {
  const [before, after] = [expected.trimEnd().split('\n'), actual.trimEnd().split('\n')];
  const lines: string[] = [];
  for (let a = 0, b = 0; a < before.length || b < after.length; ) {
    if (before[a] === after[b]) {
      a += 1;
      b += 1;
      continue;
    }
    const skipped = after.indexOf(before[a] ?? '', b);
    if (a < before.length && skipped === -1) lines.push(`- ${before[a++] ?? ''}`);
    else if (b < after.length) lines.push(`+ ${after[b++] ?? ''}`);
    else lines.push(`- ${before[a++] ?? ''}`);
  }
  return lines;
}
