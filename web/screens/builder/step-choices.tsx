import { Button } from '../../parts/button.tsx';
import { channelName } from '../../parts/words.ts';
import { inputLook } from '../../parts/labelled.tsx';
import { Field } from './fields.tsx';
import { isRecord, textOf } from './form.ts';

export const channelOptions = ['email', 'sms', 'whatsapp', 'telegram', 'push', 'onsite', 'call', 'crm', 'task', 'none'].map((value) => ({
  value,
  name: value === 'none' ? 'Nothing (marks the time)' : value === 'onsite' ? 'Pop-up on the site' : channelName(value),
}));
const usualChannels = ['email', 'sms', 'whatsapp', 'telegram'];

/** As a file says it: one alone, or a list. */
export function channelSaid(channels: readonly string[]): unknown {
  const unique = [...new Set(channels)];
  return unique.length === 1 ? unique[0] : unique;
}

/** Channels in order of preference. */
export function ChannelsField({
  label,
  hint,
  value: given,
  faults,
  disabled,
  onChange,
}: {
  label: string;
  hint?: string;
  value: readonly string[];
  faults: readonly string[];
  disabled: boolean;
  onChange: (channels: readonly string[]) => void;
}) {
  return (
    <Field label={label} faults={faults} hint={hint}>
      {(props) => (
        <span className="flex flex-wrap items-center gap-2">
          {given.map((channel, at) => (
            <span key={channel} className="flex items-center gap-1">
              {at > 0 && <span className="text-soft">else</span>}
              <select
                {...(at === 0 ? props : { 'aria-label': `Way ${at + 1}` })}
                className={`${inputLook} w-auto!`}
                value={channel}
                disabled={disabled}
                onChange={(event) => onChange(given.map((one, place) => (place === at ? event.target.value : one)))}
              >
                {channelOptions.map((option) => (
                  <option key={option.value} value={option.value}>
                    {option.name}
                  </option>
                ))}
              </select>
              {at > 0 && !disabled && (
                <Button look="quiet" onClick={() => onChange(given.filter((_, place) => place !== at))}>
                  Remove<span className="sr-only"> way {at + 1}</span>
                </Button>
              )}
            </span>
          ))}
          {!disabled && given.length < 4 && (
            <Button onClick={() => onChange([...given, usualChannels.find((one) => !given.includes(one)) ?? 'email'])}>Add another way</Button>
          )}
        </span>
      )}
    </Field>
  );
}

export const offerOptions = [
  { value: '', name: 'None' },
  { value: 'send', name: 'With one where the store grants it, else without' },
  { value: 'skip', name: 'Only with one' },
];

export const offerChoice = (said: unknown): string =>
  said === undefined ? '' : said === true ? 'send' : isRecord(said) ? textOf(said['without']) : '';
export const offerSaid = (choice: string): unknown => (choice === '' ? undefined : choice === 'send' ? true : { without: 'skip' });
