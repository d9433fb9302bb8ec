/** What the live page does in the browser: put markup where it belongs, and count down. Served inside the page, under its nonce. */
export const script = `
const stores = document.getElementById('stores');
const state = document.getElementById('state');
const hold = document.getElementById('hold');
let waiting = [];
let held = false;

function show(words, className) { state.textContent = words; state.className = className; }

function put(update) {
  if (held) return void waiting.push(update);
  if (update.kind === 'everything') {
    stores.innerHTML = update.html;
  } else if (update.kind === 'part') {
    const part = document.getElementById(update.id);
    if (part) part.innerHTML = update.html;
  } else {
    const list = document.getElementById(update.list);
    const old = document.getElementById(update.id);
    const template = document.createElement('template');
    template.innerHTML = update.html;
    const story = template.content.firstElementChild;
    if (!list || !story) return;
    const known = old ? old.querySelectorAll('.chip:not(.next)').length : 0;
    [...story.querySelectorAll('.chip:not(.next)')].slice(known).forEach((chip) => chip.classList.add('fresh'));
    if (old) old.replaceWith(story); else list.prepend(story);
    while (list.children.length > 25) list.lastElementChild.remove();
  }
  count();
}

function spanOf(ms) {
  const s = Math.ceil(ms / 1000);
  if (s <= 0) return 'any moment';
  if (s < 90) return 'in ' + s + ' s';
  if (s < 5400) return 'in ' + Math.round(s / 60) + ' min';
  if (s < 172800) return 'in ' + Math.round(s / 3600) + ' h';
  return 'in ' + Math.round(s / 86400) + ' days';
}

function count() {
  for (const time of document.querySelectorAll('time[data-until]')) time.textContent = spanOf(Number(time.dataset.until) - Date.now());
}

hold.addEventListener('click', () => {
  held = !held;
  hold.setAttribute('aria-pressed', String(held));
  hold.textContent = held ? 'Resume' : 'Pause';
  if (!held) { const missed = waiting; waiting = []; missed.forEach(put); }
});

const source = new EventSource('/live');
source.addEventListener('open', () => show('live', 'on'));
source.addEventListener('error', () => show('reconnecting …', 'off'));
source.addEventListener('message', (event) => put(JSON.parse(event.data)));
hold.hidden = false;
count();
setInterval(count, 500);
`;
