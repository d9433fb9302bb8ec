/*! Rekindle on a store’s pages; docs/on-site.md says how. MIT licence. */
(() => {
  const script = document.currentScript;
  const { key, cart, proof, cartUrl, remember, worker } = script.dataset;
  const home = new URL(script.src).origin;
  const kept = 'rekindle.cart';
  let known = cart ? { cart, proof: proof ?? null } : null;
  let mayRemember = remember === 'always';
  let open = null;
  let pushKey = null;
  let viewed = null;
  let workerUrl = null;

  // Storage may be off, or full: then nothing is remembered.
  const storage = (use) => {
    try {
      return use(localStorage);
    } catch {
      return null;
    }
  };

  const keep = () => {
    if (mayRemember && known) storage((store) => store.setItem(kept, JSON.stringify(known)));
  };

  // A simple request: no cookies, and nothing that the browser would have to ask for first.
  const post = (path, body, more) => fetch(`${home}/onsite/${path}`, { method: 'POST', credentials: 'omit', body: JSON.stringify(body), ...more });

  const report = (token, type) => void post('reports', { token, type }, { mode: 'no-cors', keepalive: true }).catch(() => {});

  async function findCart() {
    if (!known && cartUrl) {
      const answer = await fetch(cartUrl, { headers: { accept: 'application/json' } });
      const found = answer.ok ? (await answer.json()).token : null;
      if (found) known = { cart: String(found), proof: null };
    }
    if (!known && mayRemember) known = JSON.parse(storage((store) => store.getItem(kept)) ?? 'null');
    return known;
  }

  const mayNotify = () => worker && self.PushManager && self.Notification?.permission;

  // The worker, where notifications are allowed already; nobody is asked for anything here.
  const registration = () => (mayNotify() === 'granted' ? navigator.serviceWorker.getRegistration(worker) : null);
  const subscriptionOf = async (registered) => (await registered?.pushManager.getSubscription()) ?? null;

  async function subscribe() {
    // The key comes with the answer to the page view. Waiting for it may cost the press on the button, so nobody waits who has it.
    if (!pushKey) await viewed;
    if (!mayNotify() || !pushKey || (await Notification.requestPermission()) !== 'granted') return false;
    // Where the page's policy asks for trusted types, it has to allow this one.
    workerUrl ??= self.trustedTypes?.createPolicy('rekindle', { createScriptURL: (url) => url }).createScriptURL(worker) ?? worker;
    await navigator.serviceWorker.register(workerUrl);
    const { pushManager } = await navigator.serviceWorker.ready;
    const wish = { userVisibleOnly: true, applicationServerKey: pushKey };
    try {
      await pushManager.subscribe(wish);
    } catch {
      // One that is bound to other keys is in the way.
      await (await pushManager.getSubscription())?.unsubscribe();
      await pushManager.subscribe(wish);
    }
    await view();
    return true;
  }

  const isVisible = () =>
    new Promise((resolve) => {
      const look = () => {
        if (document.visibilityState !== 'visible') return;
        document.removeEventListener('visibilitychange', look);
        resolve();
      };
      document.addEventListener('visibilitychange', look);
      look();
    });

  // A page view counts when somebody sees the page: not while a browser renders it ahead, or in a tab behind.
  async function view() {
    try {
      await isVisible();
      const named = await findCart();
      if (!named) return;
      keep();
      const answer = await post('views', { key, ...named, subscription: await subscriptionOf(await registration()) });
      const { popup, pushKey: itsKey } = answer.ok ? await answer.json() : {};
      pushKey = itsKey ?? pushKey;
      if (popup?.token && !open) show(popup);
    } catch {
      // A shop's page never notices that we are away.
    }
  }

  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    return made;
  };

  function show(popup) {
    const host = element('rekindle-popup', '');
    const root = host.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
    const dialog = element('dialog', '', { lang: popup.language, dir: popup.direction, 'aria-labelledby': 'heading', 'aria-describedby': 'text' });
    const link = element('a', popup.cta, { href: popup.url, part: 'link' });
    const close = element('button', popup.close, { type: 'button', part: 'close' });
    const actions = element('div', '', { class: 'actions' });
    actions.append(link, close);
    if (popup.label) dialog.append(element('p', popup.label, { class: 'label' }));
    dialog.append(element('h2', popup.heading, { id: 'heading', part: 'heading' }), element('p', popup.text, { id: 'text', part: 'text' }), actions);
    root.append(dialog);
    document.body.append(host);

    let told = false;
    const tell = (type) => {
      if (!told) report(popup.token, type);
      told = true;
    };
    link.addEventListener('click', () => (told = true));
    close.addEventListener('click', () => dialog.close());
    // The page behind it.
    dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
    dialog.addEventListener('keydown', (event) => {
      if (event.key !== 'Tab') return;
      const [first, last] = [link, close];
      const from = event.shiftKey ? first : last;
      if (root.activeElement !== from) return;
      event.preventDefault();
      (event.shiftKey ? last : first).focus();
    });
    const before = document.activeElement;
    dialog.addEventListener('close', () => {
      tell('closed');
      host.remove();
      open = null;
      // The browser returns the focus by itself where the dialog stays; this one is gone.
      before?.focus?.({ preventScroll: true });
    });
    open = dialog;
    dialog.showModal();
    report(popup.token, 'shown');
  }

  const style = `
:host { all: initial; }
dialog {
  --back: var(--rekindle-background, #fff); --ink: var(--rekindle-text, #1c1d20); --soft: var(--rekindle-muted, #55585f);
  --brand: var(--rekindle-accent, #1f5f4f); --on: var(--rekindle-on-accent, #fff); --line: var(--rekindle-border, #d9dadd);
  box-sizing: border-box; inline-size: min(24rem, calc(100vw - 2rem)); margin: auto; padding: 1.5rem; border: 1px solid var(--line);
  border-radius: var(--rekindle-radius, 14px); background: var(--back); color: var(--ink); color-scheme: light dark;
  font: 16px/1.5 var(--rekindle-font, system-ui, sans-serif); text-align: start; box-shadow: 0 18px 50px rgb(0 0 0 / .25); overflow-wrap: anywhere;
}
dialog::backdrop { background: rgb(0 0 0 / .45); }
h2 { margin: 0 0 .5rem; font-size: 1.25em; line-height: 1.3; font-weight: 650; }
p { margin: 0 0 1.25rem; color: var(--soft); }
.label { display: inline-block; margin: 0 0 .75rem; padding: 0 .5rem; border: 1px solid var(--line); border-radius: 99px; font-size: .75em; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; }
a, button { box-sizing: border-box; flex: 1 1 auto; padding: .7rem 1.1rem; border-radius: 10px; border: 1px solid transparent; font: inherit; font-weight: 600;
  text-align: center; text-decoration: none; cursor: pointer; }
a { background: var(--brand); color: var(--on); }
button { background: none; color: var(--ink); border-color: var(--line); }
a:focus-visible, button:focus-visible { outline: 3px solid var(--rekindle-focus, #2563eb); outline-offset: 2px; }
@media (prefers-color-scheme: dark) {
  dialog { --back: var(--rekindle-background-dark, #1d2023); --ink: var(--rekindle-text-dark, #f2f2f0); --soft: var(--rekindle-muted-dark, #b9bcc2);
    --brand: var(--rekindle-accent-dark, #8fd3bf); --on: var(--rekindle-on-accent-dark, #10211c); --line: var(--rekindle-border-dark, #3a3e44); }
  a:focus-visible, button:focus-visible { outline-color: var(--rekindle-focus-dark, #93b4ff); }
}
@media (prefers-reduced-motion: no-preference) {
  dialog[open] { animation: rise .25s ease-out; }
  @keyframes rise { from { opacity: 0; transform: translateY(12px); } }
}
@media (forced-colors: active) { a { border-color: LinkText; } }`;

  window.rekindle = {
    /** Name the cart that this page has before it. */
    cart(token, itsProof = null) {
      known = { cart: String(token), proof: itsProof };
      keep();
    },
    /** What the visitor said about storing things in their browser. */
    consent(given) {
      mayRemember = given === true && (remember === 'consent' || remember === 'always');
      if (mayRemember) keep();
      else storage((store) => store.removeItem(kept));
    },
    /** Another page was opened without loading it. */
    view: () => (viewed = view()),
    /** Ask the visitor for permission to send notifications; call it when they press something. Resolves to whether they agreed. */
    notifications: () => subscribe().catch(() => false),
  };
  viewed = view();
})();
