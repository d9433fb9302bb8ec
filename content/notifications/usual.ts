import type { NotificationChannel } from '../../domain/notifications/channels.ts';

/** Liquid. The links are not in it: each channel puts them below. */
export interface NotificationText {
  /** Of an email; null: the channel has none. */
  subject: string | null;
  body: string;
}

const subject =
  '{% if cause == "overdue" or task.late.size > 0 %}Overdue: {% endif %}{{ task.title }}{% if person.name %}: {{ person.name }}{% endif %}';

const opening: Readonly<Record<string, string>> = {
  agent_call: 'Please call{% if person.name %} {{ person.name }}{% else %} this person{% endif %} by {{ task.due }}.',
  assignment: '{% if person.name %}{{ person.name }}{% else %}Somebody{% endif %} is yours to look after. The first step is due by {{ task.due }}.',
  escalation:
    '{% if person.name %}{{ person.name }}{% else %}Somebody{% endif %} was handed over to you: decide what happens next. Please look at it by {{ task.due }}.',
  approval: 'Something waits for your approval, and is to go out {{ task.due }}.',
  hot_lead: '{% if person.name %}{{ person.name }}{% else %}Somebody{% endif %} has left a number and expects a call by {{ task.due }}.',
  consultation: '{% if person.name %}{{ person.name }}{% else %}Somebody{% endif %} asks for a consultation. Please answer by {{ task.due }}.',
  interest: '{% if person.name %}{{ person.name }}{% else %}Somebody{% endif %} is interested in an offer. Please answer by {{ task.due }}.',
  question:
    '{% if person.name %}{{ person.name }}{% else %}Somebody{% endif %} has asked something that only a person can answer, by {{ task.due }}.',
  opt_out_in_words:
    '{% if person.name %}{{ person.name }}{% else %}Somebody{% endif %} has asked not to be written to again, in a sentence. It counts already: read whether more was asked for.',
};
const anyOpening = '{{ task.title }}{% if person.name %} about {{ person.name }}{% endif %}, due {{ task.due }}.';

/** Of a reminder, and of a task that nobody has done so far. */
const lateness = `{% if cause == "overdue" %}
This is a reminder: it was due {{ task.due }}.
{% elsif task.late.size > 0 %}
It was due {{ task.due }}, and has come to you because {{ task.late | join: " and " }} could not do it in time.
{% endif %}`;

const details = `
{% if task.note %}
They said: {{ task.note }}
{% endif %}
{% if person.phone %}
Phone: {{ person.phone }}
{% endif %}
{% if person.email %}
Email: {{ person.email }}
{% endif %}
{% if task.recommendation %}
What to do: {{ task.recommendation }}
{% endif %}
{% if risk %}
Risk ({{ risk.band }}): {{ risk.says }}
{% for factor in risk.factors %}
- {{ factor }}
{% endfor %}
{% endif %}
{% if tried.size > 0 %}
What was tried:
{% for one in tried %}
- {{ one }}
{% endfor %}
{% endif %}
{% if history.size > 0 %}
What happened lately:
{% for one in history %}
- {{ one }}
{% endfor %}
{% endif %}`;

/** For a text message, which has no room for more. */
const short =
  '{{ store.name }}: {% if cause == "overdue" or task.late.size > 0 %}overdue: {% endif %}{{ task.title }}{% if person.name %}, {{ person.name }}{% endif %}, due {{ task.due }}.';

/** What a notification says where the store has written nothing else. */
export function usualText(kind: string, channel: NotificationChannel): NotificationText {
  if (channel === 'sms') return { subject: null, body: short };
  const body = `${opening[kind] ?? anyOpening}\n${lateness}\n${details}`;
  return { subject: channel === 'email' ? subject : null, body: channel === 'email' ? body : `{{ task.title }}\n\n${body}` };
}
