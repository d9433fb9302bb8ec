import type { ChannelTraits } from '../../../domain/channels/channel.ts';
import { channels, isChannel } from '../../../domain/channels/index.ts';
import type { SubjectKinds } from '../../../domain/subjects/index.ts';
import type { Words } from '../../../domain/subjects/kind.ts';
import type { Analytics, ChannelFigures, Figures } from '../../../operations/read/analytics.ts';
import type { Story } from '../../../operations/read/live-stories.ts';
import { type Html, html } from '../../html.ts';
import { isoTime } from '../fields.ts';
import type { WorkflowLinks } from '../workflow-links.ts';
import { cameBack } from './came-back.ts';
import { capital } from '../../../operations/read/words.ts';
import { chipsOf, messageNoun, nounOf } from './chips.ts';
import { quarantineNotice } from './quarantine-html.ts';

export interface StoreState {
  id: string;
  name: string;
  synthetic: boolean;
  timeScale: number;
  stories: Story[];
  today: Analytics;
  quarantine: { open: number; mayBeStops: number };
}

/** A store with its figures and its stories. */
export function storeHtml(kinds: SubjectKinds, store: StoreState, workflows: WorkflowLinks): Html {
  const heading = `h-${store.id}`;
  return html`<section class="store" aria-labelledby="${heading}">
<header>
<h2 id="${heading}">${store.name}</h2>
${store.synthetic ? html`<span class="badge synthetic" title="Nobody here is real: shoppers, carts, orders and figures are made up by the demo store.">synthetic demo</span>` : html`<span class="badge real">your store</span>`}
${store.timeScale === 1 ? null : html`<span class="badge" title="Every wait passes ${store.timeScale} times faster.">1 hour passes in ${span(3_600 / store.timeScale)}</span>`}
</header>
<div id="q-${store.id}" role="status">${quarantineNotice(store.quarantine)}</div>
<div class="sums" id="f-${store.id}">${figuresHtml(kinds, store.today)}</div>
<ol class="stories" id="l-${store.id}">${store.stories.map((story) => storyHtml(story, workflows))}</ol>
${store.synthetic ? null : html`<p class="empty">Nobody has left a cart here yet. Send one and watch it: <code>npm run send -- cart.updated --email you@example.com --value 129.90</code></p>`}
${store.synthetic ? html`<p class="empty">The first shopper is on the way …</p>` : null}
</section>`;
}

/** The figures of the last 24 hours, as /recovery/analytics has them: a row for each kind of subject that has some, the first kind in any case. */
export function figuresHtml(kinds: SubjectKinds, today: Analytics): Html {
  const rows = today.kinds.filter(({ all }, index) => index === 0 || all.totalSequences > 0);
  return html`${rows.map(({ kind, all }) => kindFiguresHtml(kinds.of(kind).words, all))}`;
}

function kindFiguresHtml({ figures: words }: Words, all: Figures): Html {
  const won = cameBack(all);
  const interval = all.conversionRateInterval;
  const rate = all.totalSequences === 0 ? '–' : `${Math.round(all.conversionRate)} %`;
  const range = interval === null ? words.none : `95 % interval: ${Math.round(100 * interval.low)} to ${Math.round(100 * interval.high)} %`;
  return html`<dl class="figures">${figure(words.begun, String(all.totalSequences), 'last 24 hours')}
${messagesHtml(all)}
${figure(words.won, rate, range)}
${figure(words.revenue, won.value, won.note)}</dl>`;
}

/** One figure for every channel on which something went out. */
function messagesHtml({ messages }: Figures): Html {
  if (messages.length === 0) return figure('Messages sent', '0', 'none yet');
  return html`${messages.map((m) => figure(`${capital(nounOf(m.channel))}s sent`, String(m.sent), reactionNote(m)))}`;
}

function reactionNote({ channel, openRate, clickRate }: ChannelFigures): string {
  if (openRate !== null) return `${Math.round(openRate)} % opened`;
  const traits: ChannelTraits | null = isChannel(channel) ? channels[channel] : null;
  if (traits?.tellsOpens === true) return 'opens are not measured';
  return clickRate === null ? '' : `${Math.round(clickRate)} % followed the link`;
}

const figure = (name: string, value: string, note: string) => html`<div><dt>${name}</dt><dd><b>${value}</b><span>${note}</span></dd></div>`;

/** A person's line, from the report of the subject to the end. */
export function storyHtml(story: Story, workflows: WorkflowLinks): Html {
  const { url } = workflows.of(story.tenant.slug, story.sequence, story.enrollmentId);
  const chips = chipsOf(story);
  const over = story.status !== 'ACTIVE' && story.status !== 'PAUSED';
  const hue = Number.parseInt(story.enrollmentId.slice(-2), 16) % 6;
  return html`<li class="story${over ? ' over' : ''}" id="s-${story.enrollmentId}">
<div class="who ${story.kind}"><span class="face hue-${hue}" aria-hidden="true">${story.alias.slice(-4, -2)}</span><span><b>${story.alias}</b><span class="worth">${story.amount ?? ''}</span></span></div>
<ol class="line">${chips.map(
    (chip) =>
      html`<li class="chip ${chip.tone}" title="${chip.sentence} ${isoTime(chip.atMs).slice(11, 19)} UTC">${chip.label}${chip.times > 1 ? html` <small>×${chip.times}</small>` : null}</li>`,
  )}${nextHtml(story)}</ol>
${url === null ? null : html`<a class="workflow" href="${url}" target="_blank" rel="noopener" aria-label="Workflow of ${story.alias} in Temporal">workflow</a>`}
</li>`;
}

function nextHtml({ next, activated, status, happenings, words }: Story): Html | null {
  if (next === null) return null;
  const noun = messageNoun(next);
  const sent = happenings.filter((h) => h.type === 'message.sent' && messageNoun(h) === noun).length;
  const what = activated ? `${capital(noun)} ${sent + 1}` : words.stillOpen;
  return html`<li class="chip next" title="${next.stepId}${status === 'PAUSED' ? ', paused' : ''}">${what} <time datetime="${isoTime(next.atMs)}" data-until="${next.atMs}"></time></li>`;
}

const span = (seconds: number) => (seconds >= 1 ? `${Math.round(seconds)} s` : `${Math.round(seconds * 1_000)} ms`);
