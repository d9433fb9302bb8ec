import { caniemail } from 'caniemail';
import { byFinding, type Judge } from './judge.ts';

/** Mail programs whose data is complete. */
const clients = ['gmail.*', 'apple-mail.*', 'outlook.*', 'yahoo.*', 'aol.*', 'samsung-email.*', 'protonmail.*', 'fastmail.*', 'orange.*'] as const;

/** What some programs do not know, and what the email is without it. A feature that is missing here was not thought of. */
const degrades: Record<string, string> = {
  '!important keyword': 'only without a space before it; the space is there',
  '<body> element': 'becomes a div; the colours stand on the div inside as well',
  '<style> element': 'Gmail in a mobile browser: inline styles are complete for the light scheme',
  '@media': 'no dark scheme and no narrow measures: the light, wide email stays readable',
  'Chaining selectors': 'MJML’s own rules for Thunderbird and Outlook',
  'Child combinator': 'only for the dark scheme and rounded corners',
  'Class selector': 'only for the dark scheme and narrow screens',
  'Descendant combinator': 'only for the dark scheme and narrow screens',
  'ID selector': 'MJML’s own rule for Outlook',
  'Type selector': 'resets of MJML',
  'aria-hidden attribute': 'the product’s initial is read out before its name',
  'aria-label attribute': 'the link’s title says the same',
  'border-radius': 'square corners',
  'color-scheme CSS property': 'the reader recolours the email by its own rules',
  'color-scheme meta tag': 'the reader recolours the email by its own rules',
  cursor: 'MJML writes the default',
  'display:none': 'the preheader is also without height',
  'height property': 'Yahoo takes it as the least height, so the product’s initial has a greatest height as well',
  'lang attribute': 'the reader guesses the language',
  'mailto: links': 'the address is written out',
  'max-height property': 'Outlook on Windows does not see the product’s initial at all (conditional comment)',
  'min-height property': 'a wide picture is lower than its tile',
  'object-fit': 'a picture that is not square is pressed into one',
  outline: 'MJML’s reset',
  overflow: 'a tall picture is shown whole',
  'role attribute': 'tables of the layout are announced',
  'table-layout': 'MJML writes the default',
  'target attribute': 'the reader decides where links open',
  'text-decoration': 'links keep their underline',
  'white-space': 'a long amount may break',
  'width attribute': 'the width stands in the style as well',
  'height attribute': 'the height stands in the style as well',
  'word-break': 'a long word may widen the table',
  'word-spacing': 'MJML writes the default',
};

/** Features that a mail program does not know at all, after the data of caniemail.com. */
export const canIEmailJudge: Judge = {
  name: 'caniemail',
  missing: () => Promise.resolve(null),
  judge(emails) {
    const found = emails.flatMap(({ name, html }) =>
      [...caniemail({ clients: [...clients], html }).issues.errors].flatMap(([client, issues]) =>
        issues
          .filter(({ title }) => !Object.hasOwn(degrades, title))
          .map(({ title }) => ({ finding: `${title}: unknown to ${client}`, email: name })),
      ),
    );
    return Promise.resolve(byFinding(found));
  },
};
