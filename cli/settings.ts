import { unwrap } from '../sdk/index.ts';
import { asGiven, collect, type Command, type Row, shown, UsageError } from './command.ts';
import { readText } from './sequence-file.ts';

export const settings: Command = {
  summary: 'what the store configures: names, quiet hours, consent …',
  usage: `rekindle settings                       show them
rekindle settings set NAME=VALUE …      change some; VALUE is JSON, or text
rekindle settings history               who changed what, and when
rekindle settings recovery              how cart recovery is configured: steps, timings, thresholds, tone, language, channels, offers
rekindle settings recovery FILE         configure it; FILE is JSON as the command above prints it with --json`,
  example: 'rekindle settings set timeZone=Europe/Vienna',
  takes: { show: 0, set: Number.POSITIVE_INFINITY, history: 0, recovery: 1 },
  async run({ store, args: [action = 'show', ...rest] }) {
    switch (action) {
      case 'show': {
        const data = unwrap(await store.settings.get());
        return { data, lines: linesOf(data) };
      }
      case 'set': {
        if (rest.length === 0) throw new UsageError('Say what to change, e.g. rekindle settings set timeZone=Europe/Vienna.');
        const changes = Object.fromEntries(rest.map(assignment));
        const data = unwrap(await store.settings.update({ settings: changes }));
        // There are sixty: what was not asked for would hide what was.
        return { data, lines: linesOf(data, Object.keys(changes)) };
      }
      case 'history': {
        const data = await collect(store.settings.allHistory());
        return {
          data,
          lines:
            data.length === 0
              ? ['Nothing was changed yet.']
              : data.map((v) => `${shown(v['version'])}  ${shown(v['changed_at'])}  ${shown(v['changed_by'])}  ${shown(v['changes'])}`),
        };
      }
      case 'recovery': {
        const [file] = rest;
        const data = unwrap(await (file === undefined ? store.recovery.config() : store.recovery.configure(asGiven(jsonFile(file)))));
        return { data, lines: Object.entries(data).map(([name, value]) => `${name} = ${shown(value)}`) };
      }
      default:
        throw new UsageError(`settings has no command "${action}".`);
    }
  },
};

/** @param only - these settings; left out: all */
function linesOf(data: Row, only?: readonly string[]): string[] {
  const settings = Object.entries((data['settings'] ?? {}) as Row).filter(([name]) => only === undefined || only.includes(name));
  return [`version ${shown(data['version'])}`, ...settings.map(([name, value]) => `${name} = ${shown(value)}`)];
}

/** `timeZone=Europe/Vienna`, `trackOpens=false`, `quietHours={"fromMinute":1260,"toMinute":480}` */
function assignment(text: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`"${text}" is no NAME=VALUE.`);
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
  }
}

function jsonFile(file: string): unknown {
  const text = readText(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
