/** The start page's looks, by day and by night, on a phone and on a wall. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f4f2ed, #131211); --paper: light-dark(#fffefb, #1c1b19); --line: light-dark(#e2ded5, #33302c);
  --ink: light-dark(#25221d, #ece8e0); --soft: light-dark(#6c665c, #a39c90);
  --ember: light-dark(#b8430a, #ff9153); --ember-ground: light-dark(#fdeadd, #3a2114);
  --sea: light-dark(#0b5f7a, #7cc7e2); --sea-ground: light-dark(#dff1f7, #12303b);
  --plum: light-dark(#6b3f93, #c9a6ea); --plum-ground: light-dark(#f1e8f9, #2d2138);
  --leaf: light-dark(#1b6b36, #7fd79b); --leaf-ground: light-dark(#def3e3, #15331f);
  --rust: light-dark(#8f2633, #f2949e); --rust-ground: light-dark(#fbe3e5, #3b1a1f);
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
a { color: inherit; text-underline-offset: .18em; }
a:focus-visible, button:focus-visible { outline: 2px solid var(--ember); outline-offset: 2px; border-radius: .3rem; }
code { font: .88em ui-monospace, monospace; background: var(--ground); border: 1px solid var(--line); border-radius: .35rem; padding: .1em .4em; overflow-wrap: anywhere; }
.wrap { width: min(76rem, 100%); margin: 0 auto; padding: 0 1.25rem; }
.top { padding: 2.2rem 0 1.4rem; }
.top .wrap { display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; align-items: center; }
h1 { font-size: clamp(1.7rem, 4vw, 2.3rem); line-height: 1.1; letter-spacing: -.02em; margin: 0; display: flex; align-items: center; gap: .6rem; }
h1 svg { width: 1.05em; height: 1.05em; flex: none; color: var(--ember); }
.top p { margin: 0; color: var(--soft); flex: 1 1 20rem; }
.live { display: flex; gap: .8rem; align-items: center; }
#state::before { content: ''; display: inline-block; width: .55rem; height: .55rem; border-radius: 50%; margin-right: .45rem; background: var(--soft); }
#state.on::before { background: var(--leaf); animation: beat 2s infinite; }
#state.off { color: var(--rust); }
button { font: inherit; font-size: .9rem; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; padding: .25rem .8rem; cursor: pointer; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; max-width: 80ch; }
button[aria-pressed="true"] { background: var(--ink); color: var(--paper); }
.links { list-style: none; margin: 0 0 1.8rem; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .7rem; }
.links a { display: block; height: 100%; padding: .75rem .95rem; background: var(--paper); border: 1px solid var(--line); border-radius: .7rem; text-decoration: none; }
.links a:hover { border-color: var(--ember); }
.links b { display: block; font-weight: 620; } .links span { color: var(--soft); font-size: .87rem; line-height: 1.35; display: block; }
.store { background: var(--paper); border: 1px solid var(--line); border-radius: .9rem; margin-bottom: 1.6rem; overflow: hidden; }
.store > header { display: flex; flex-wrap: wrap; gap: .5rem .7rem; align-items: center; padding: 1rem 1.25rem .2rem; }
h2 { font-size: 1.15rem; margin: 0 .2rem 0 0; }
.badge { font-size: .8rem; padding: .1rem .6rem; border-radius: 1rem; border: 1px solid var(--line); color: var(--soft); }
.badge.synthetic { background: var(--plum-ground); color: var(--plum); border-color: transparent; font-weight: 600; }
.badge.real { background: var(--leaf-ground); color: var(--leaf); border-color: transparent; font-weight: 600; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); margin: 0; padding: .3rem 1.25rem 1rem; gap: .4rem 1.5rem; border-bottom: 1px solid var(--line); }
.figures dt { color: var(--soft); font-size: .87rem; } .figures dd { margin: 0; }
.figures b { display: block; font-size: 1.5rem; line-height: 1.25; font-weight: 640; letter-spacing: -.01em; } .figures span { color: var(--soft); font-size: .82rem; }
.stories, .line { list-style: none; margin: 0; padding: 0; }
.story { display: grid; grid-template-columns: 12.5rem 1fr auto; gap: .5rem 1.2rem; align-items: center; padding: .7rem 1.25rem; }
.story + .story { border-top: 1px solid var(--line); }
.who { display: flex; gap: .7rem; align-items: center; min-width: 0; }
.who b { display: block; font-weight: 600; line-height: 1.25; } .worth { color: var(--soft); font-size: .88rem; }
.face { flex: none; width: 2.2rem; height: 2.2rem; display: grid; place-items: center; border-radius: 50%; font-size: .82rem; font-weight: 650; }
.hue-0 { background: var(--ember-ground); color: var(--ember); } .hue-1 { background: var(--sea-ground); color: var(--sea); } .hue-2 { background: var(--plum-ground); color: var(--plum); }
.hue-3 { background: var(--leaf-ground); color: var(--leaf); } .hue-4 { background: var(--rust-ground); color: var(--rust); } .hue-5 { background: var(--line); color: var(--ink); }
.line { display: flex; flex-wrap: wrap; gap: .4rem 0; align-items: center; }
.chip { font-size: .88rem; line-height: 1.2; padding: .3rem .65rem; border-radius: 1rem; border: 1px solid var(--line); white-space: nowrap; }
.chip + .chip { margin-left: 1.15rem; position: relative; }
.chip + .chip::before { content: ''; position: absolute; left: -1.2rem; top: 50%; width: 1.15rem; border-top: 1px solid color-mix(in srgb, var(--soft) 55%, transparent); }
.chip small { opacity: .8; }
.chip.left { background: var(--ember-ground); color: var(--ember); border-color: transparent; }
.chip.mail { background: var(--sea-ground); color: var(--sea); border-color: transparent; }
.chip.reaction { background: var(--plum-ground); color: var(--plum); border-color: transparent; }
.chip.bought { background: var(--leaf-ground); color: var(--leaf); border-color: transparent; font-weight: 620; }
.chip.trouble { background: var(--rust-ground); color: var(--rust); border-color: transparent; }
.chip.end { background: var(--ink); color: var(--paper); border-color: transparent; }
.chip.next { border-style: dashed; border-color: var(--soft); color: var(--soft); }
.chip.fresh { animation: arrive 1.6s ease-out; }
.story.over .who b { font-weight: 500; }
.notice { margin: .2rem 1.25rem .6rem; padding: .5rem .8rem; border-radius: .5rem; background: var(--ember-ground); color: var(--ember); } .notice.urgent { background: var(--rust-ground); color: var(--rust); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; background: var(--paper); font-size: .9rem; } th, td { text-align: left; vertical-align: top; padding: .5rem .8rem; border: 1px solid var(--line); } h3 { margin: 1.4rem 0 .5rem; }
.workflow { color: var(--soft); font-size: .85rem; }
.empty { margin: 0; padding: 1.2rem 1.25rem; color: var(--soft); } .stories:not(:empty) + .empty { display: none; }
.late { margin: 0 0 1.6rem; padding: .8rem 1.25rem; background: var(--rust-ground); color: var(--rust); border-radius: .7rem; }
.foot { color: var(--soft); font-size: .9rem; padding-block: .4rem 2.5rem; } .foot p { margin: 0 0 .4rem; }
@keyframes beat { 50% { opacity: .35; } }
@keyframes arrive { from { transform: scale(1.12); box-shadow: 0 0 0 .45rem color-mix(in srgb, var(--ember) 25%, transparent); } to { box-shadow: 0 0 0 .45rem transparent; } }
.sums:has(+ .stories:empty) { display: none; }
@media (max-width: 52rem) { .story { grid-template-columns: 1fr auto; } .line { grid-column: 1 / -1; grid-row: 2; } }
@media (max-width: 32rem) { .top { padding-top: 1.4rem; } .links { grid-template-columns: 1fr 1fr; } .links span { display: none; } .figures { grid-template-columns: 1fr 1fr; } }
@media (prefers-reduced-motion: reduce) { *, *::before { animation: none !important; scroll-behavior: auto !important; } }
`;
