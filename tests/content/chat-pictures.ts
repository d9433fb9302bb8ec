/**
 * Draws the conversation with the bot in its four languages, from the real turns, texts and renderer.
 * Run: npm run pictures:chat [-- folder] (needs Chromium)
 */
import { fileURLToPath } from 'node:url';
import { chatTexts, type RenderedChatMessage, renderChatMessage, skipLabels } from '../../content/chat/render.ts';
import { escapeHtml } from '../../content/escape-html.ts';
import { type ChatLanguage, chatLanguages } from '../../domain/chat/language.ts';
import { newChat } from '../../domain/chat/state.ts';
import { turn } from '../../domain/chat/turn.ts';
import { type ChatAct, intentOf } from '../../domain/chat/update.ts';
import { isRightToLeft } from '../../domain/languages.ts';
import { aProperty, facts } from '../domain/chat/a-chat.ts';
import { takeScreenshot } from '../helpers/screenshot.ts';

const store = { name: 'Aurora Homes', timeZone: 'Asia/Dubai' };
const names: Record<ChatLanguage, string> = { en: 'Mara', fa: 'سارا', ar: 'ليلى', ru: 'Ольга' };
const properties = [
  aProperty({ area: 'Dubai Marina', title: 'Marina View 4', currency: 'AED', priceMinor: 185_000_000, url: 'https://homes.example/marina-4' }),
  aProperty({ id: 'palm', area: null, title: 'Palm Court 11', currency: 'AED', priceMinor: 240_000_000, unitsLeft: null, url: null }),
];

function conversation(language: ChatLanguage): string {
  let state = { ...newChat };
  let html = '';
  const texts = chatTexts[language];
  const does = (did: ChatAct, says: string, recommendations = properties) => {
    const intent = intentOf(did, { phase: state.phase, country: 'AE', skips: skipLabels });
    const update = { id: 1, languageCode: language, name: names[language], did };
    const result = turn(state, update, intent, { ...facts, recommendations: { message: null, properties: recommendations } });
    state = result.state;
    html += `<div class="me"><p dir="auto">${escapeHtml(says)}</p></div>`;
    for (const message of result.messages) html += bubble(renderChatMessage(message, language, store), language);
  };
  does({ kind: 'start' }, '/start');
  does({ kind: 'button', data: 'goal:buy' }, texts.goals.buy);
  does({ kind: 'contact', phone: '971501234567', own: true, name: null }, '+971 50 123 4567');
  does({ kind: 'button', data: 'show_properties' }, texts.labels.show);
  does({ kind: 'button', data: 'schedule_consultation' }, texts.labels.consult);
  state = { ...state, phase: 'VALUE_PROPOSITION', shown: [] };
  does({ kind: 'button', data: 'show_properties' }, texts.labels.show, []);
  return html;
}

function bubble({ text, keys }: RenderedChatMessage, language: ChatLanguage): string {
  const lines = text
    .split('\n')
    .map((line) => `<p dir="auto">${line === '' ? '&nbsp;' : escapeHtml(line)}</p>`)
    .join('');
  const rows =
    keys?.kind === 'buttons'
      ? keys.rows.map((row) => row.map((button) => button.text))
      : keys?.kind === 'share_contact'
        ? [[keys.share], [keys.skip]]
        : [];
  const buttons = rows.map((row) => `<div class="row">${row.map((label) => `<span dir="auto">${escapeHtml(label)}</span>`).join('')}</div>`).join('');
  return `<div class="bot" dir="${isRightToLeft(language) ? 'rtl' : 'ltr'}"><div class="text">${lines}</div>${buttons}</div>`;
}

const style = `body{margin:0;padding:16px;background:#d8e4dc;font:15px/1.45 'Noto Sans','Noto Naskh Arabic','DejaVu Sans',sans-serif}
p{margin:0}.me{margin:8px 0 8px auto;width:fit-content;background:#e3f6d3;border-radius:12px;padding:8px 12px}
.bot{margin:8px 0;max-width:340px}.text{background:#fff;border-radius:12px;padding:8px 12px}
.row{display:flex;gap:4px;margin-top:4px}.row span{flex:1;text-align:center;background:#8aa596;color:#fff;border-radius:8px;padding:6px 4px;font-size:13px}`;

const folder = process.argv[2] ?? fileURLToPath(new URL('../../docs/images', import.meta.url));
for (const language of chatLanguages) {
  const html = `<!doctype html><html lang="${language}"><meta charset="utf-8"><style>${style}</style><body>${conversation(language)}</body></html>`;
  await takeScreenshot({ html }, `${folder}/chat-${language}.png`, { width: 390 });
}
