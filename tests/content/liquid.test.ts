import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lintLiquid } from '../../content/lint-liquid.ts';
import { cachingRenderer, htmlEngine, textEngine } from '../../content/liquid.ts';
import { emailView } from '../../content/channels/email/view.ts';
import { samplesOf } from '../../content/samples.ts';
import { subjectKinds } from '../../domain/subjects/index.ts';
import { aMail, aProduct } from './a-mail.ts';

const viewsOf = (kind: string) =>
  samplesOf(subjectKinds.of(kind)).map(({ facts }) =>
    emailView({ ...facts, subjectUrl: 'https://shop.example.com/c', unsubscribeUrl: 'https://shop.example.com/u', openPixelUrl: null }, 'en'),
  );
const problemsOf = (liquid: string, kind = 'cart') => lintLiquid(textEngine, 'own.liquid', { liquid, line: 3 }, viewsOf(kind));
const render = cachingRenderer(textEngine);

describe('names', () => {
  test.each([
    ['{{ firstName | default: "you" }}, {{ contact.firstName | default: "you" }}', 'cart'],
    ['{% if firstName %}{{ firstName }}{% endif %}{% if name %}{{ name }}{% endif %}', 'lead'],
    [
      '{% if interest_area %}{{ interest_area }}{% endif %}{% if budget %}{{ budget }}{% endif %}{% if preferences %}{{ preferences }}{% endif %}',
      'lead',
    ],
    ['{% if interest_area or budget or preferences %}about {{ interest_area | default: "it" }}{% endif %}', 'cart'],
    ['{% for item in cart.items %}{{ item.title | default: "it" }}{% unless forloop.last %}, {% endunless %}{% endfor %}', 'cart'],
    ['{% if cart.count > 0 %}{% assign first = cart.items | first %}{{ first.title | default: "it" }}{% endif %}', 'cart'],
    ['{{ cart.moreCount | number }} {{ cart.count | plural: one: "product", other: "products" }}', 'cart'],
  ])('%s is known about a %s', (liquid, kind) => {
    expect(problemsOf(liquid, kind)).toEqual([]);
  });

  test.each([
    ['a variable', 'Hi\n{{ frstName }}', 4, /unknown variable "frstName": did you mean firstName\?/],
    ['a property', '{{ contact.first_name }}', 3, /did you mean contact\.firstName\?/],
    ['a property under another name', '{% if customer.supportEmail %}x{% endif %}', 3, /did you mean store\.supportEmail\?/],
    ['a property of an element', '\n{% for item in cart.items %}{{ item.titel }}{% endfor %}', 4, /"item\.titel": did you mean item\.title\?/],
    [
      'one in a branch that no sample takes',
      '{% if cart.count > 99 %}{% for i in cart.items %}{{ i.prize }}{% endfor %}{% endif %}',
      3,
      /did you mean i\.price\?/,
    ],
    ['a loop in a loop', '{% for i in cart.items %}{% for j in cart.items %}{{ j.title | default: i.titl }}{% endfor %}{% endfor %}', 3, /i\.titl/],
    ['a filter', '{{ store.name | upcas }}', 3, /unknown filter "upcas": did you mean upcase\?/],
    ['a filter in a branch that no sample takes', '{% if cart.count > 99 %}{{ store.name | shout }}{% endif %}', 3, /unknown filter "shout"/],
    ['a tag', '{% iff firstName %}', 3, /unknown tag "iff": did you mean if/],
    ['the prototype', '{{ store.constructor }}{{ store.__proto__ }}', 3, /unknown variable "store\.constructor"/],
    ['another file', '{% include "x" %}', 3, /unknown tag "include"/],
    ['another file, rendered', '{% render "x" %}', 3, /unknown tag "render"/],
    ['what changes with each try', '{{ cart.items | sample }}', 3, /refused: a message that is sent again must say the same/],
    ['the present moment', '{{ "now" | date: "%H" }}', 3, /no present moment/],
    ['code for each element', '{{ cart.items | where_exp: "i", "i.title" }}', 3, /refused/],
  ])('%s that is not known is refused with its line', (_what, liquid, line, message) => {
    const [problem] = problemsOf(liquid);
    expect(problem).toMatchObject({ file: 'own.liquid', line });
    expect(problem?.message).toMatch(message);
  });

  test('each subject has its own', () => {
    expect(problemsOf('{{ cart.url }}', 'lead')[0]?.message).toMatch(/unknown variable "cart\.url": did you mean lead\.url/);
    expect(problemsOf('{{ lead.interest }}', 'cart')[0]?.message).toMatch(/unknown variable "lead\.interest"/);
  });
});

test.each([
  'Hi {{ firstName }},',
  'Hello {{ firstName }}!',
  'For you, {{ contact.firstName | capitalize }}',
  '{% for i in cart.items %}{{ i.price }}{% endfor %}',
])('what may be missing is not printed bare: %s', (liquid) => {
  expect(problemsOf(`\n${liquid}`)).toMatchObject([{ line: 4, message: expect.stringMatching(/may be missing.*\{% if .*default:/) }]);
});

describe('nothing outruns the limits', () => {
  const doubling = (body: string) => `{% assign x = "0123456789" %}${body.repeat(40)}{{ x }}`;
  test.each([
    ['loops in loops', '{% for i in (1..500) %}{% for j in (1..500) %}{% for k in (1..500) %}.{% endfor %}{% endfor %}{% endfor %}'],
    ['a long loop', '{% for i in (1..1500000) %}.{% endfor %}'],
    ['a range beyond memory', '{% assign x = (1..99999999999) %}'],
    ['text that doubles', doubling('{% assign x = x | append: x %}')],
    ['captures that double', doubling('{% capture x %}{{ x }}{{ x }}{% endcapture %}')],
    ['lists that double', doubling('{% assign x = x | split: "" | concat: x | join: "" | append: x %}')],
    ['replacements that grow', doubling('{% assign x = x | replace: "0", x %}')],
    ['long text in a loop', `{% for i in (1..19000) %}${'long '.repeat(50_000)}{% endfor %}`],
    ['long text in a captured loop', `{% capture x %}{% for i in (1..19000) %}${'long '.repeat(50_000)}{% endfor %}{% endcapture %}`],
    ['a table', '{% tablerow i in (1..300000) cols: 2 %}.{% endtablerow %}'],
    ['a deep template', `${'{% if true %}'.repeat(9_000)}x${'{% endif %}'.repeat(9_000)}`],
    ['padding', '{{ "2020-01-01" | date: "%999999999Y" }}'],
    ['a cycle in a cycle', '{% for i in (1..1000) %}{% for j in (1..1000) %}{% cycle "a", "b" %}{% endfor %}{% endfor %}'],
  ])('%s', (_what, liquid) => {
    const started = performance.now();
    for (const engine of [textEngine, htmlEngine]) {
      const renderIt = cachingRenderer(engine);
      expect(() => renderIt(liquid, {})).toThrow(/limit exceeded|Maximum call stack/);
    }
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test.each(['strip_html', 'truncatewords', 'slugify', 'normalize_whitespace', 'strip', 'newline_to_br', 'url_encode', 'escape', 'number_of_words'])(
    'the filter %s takes a long text in short time',
    (filter) => {
      const started = performance.now();
      for (const piece of ['<script', '<!--', '<', '&', ' ', '\n', 'a-']) {
        const liquid = `{% assign x = "${piece}" %}${'{% assign x = x | append: x %}'.repeat(15)}{{ x | ${filter} | size }}`;
        try {
          render(liquid, {});
        } catch (error) {
          expect(String(error)).toMatch(/limit exceeded/);
        }
      }
      expect(performance.now() - started).toBeLessThan(20_000);
    },
  );

  test('publishing says so with the line', () => {
    expect(problemsOf('\n{% for i in (1..300) %}{% for j in (1..300) %}.{% endfor %}{% endfor %}')[0]).toMatchObject({
      message: expect.stringMatching(/too much work/),
    });
  });

  test('what is printed is never more than its own properties, whatever is asked', () => {
    const segment = fc.constantFrom(
      'constructor',
      '__proto__',
      'prototype',
      'toString',
      'valueOf',
      'hasOwnProperty',
      '__lookupGetter__',
      'call',
      'bind',
    );
    const view = emailView(aMail({ items: [aProduct()] }), 'en');
    fc.assert(
      fc.property(
        fc.constantFrom('store', 'cart', 'cart.items', 'contact', 'firstName'),
        fc.array(segment, { minLength: 1, maxLength: 3 }),
        (root, path) => {
          expect(() => render(`{{ ${root}.${path.join('.')} }}`, view)).toThrow(/undefined variable/);
          expect(() => render(`{{ ${root}["${path.join('"]["')}"] }}`, view)).toThrow(/undefined variable/);
        },
      ),
    );
  });
});

describe('words that follow the reader', () => {
  const view = (locale: string, language = locale, timeZone = 'UTC') => ({ locale, language, timeZone, n: 1_234, at: Date.UTC(2026, 2, 3, 22, 30) });
  test.each([
    ['de-DE', '1.234', '3. März 2026'],
    ['ru-RU', '1\u00a0234', '3 марта 2026 г.'],
    ['fa-IR', '۱٬۲۳۴', '۱۲ اسفند ۱۴۰۴'],
    ['ar-EG', '١٬٢٣٤', '٣ مارس ٢٠٢٦'],
  ])('numbers and days in %s', (locale, number, day) => {
    expect(render('{{ n | number }}', view(locale))).toBe(number);
    expect(
      render('{{ at | date: "long" }}', view(locale))
        .replace(/[\u2066-\u2069]/g, '')
        .replace(/\s/g, ' '),
    ).toBe(day);
  });

  test('a day is the reader’s, and what is no time prints nothing', () => {
    expect(render('{{ at | date: "short" }}', view('en-GB', 'en', 'Asia/Tokyo'))).toBe('04/03/2026');
    expect(render('{{ at | date: "short" }}', view('en-GB', 'en', 'Mars/Base'))).toBe('03/03/2026');
    expect(render('{{ x | date: "long" }}', { ...view('en'), x: 'soon' })).toBe('');
    expect(render('{{ "2026-03-03" | date: "%Y" }}', view('en'))).toBe('2026');
  });

  test.each([
    [1, 'товар'],
    [3, 'товара'],
    [5, 'товаров'],
    [21, 'товар'],
  ])('%i takes its word by the rules of the language', (n, word) => {
    expect(render('{{ n | plural: one: "товар", few: "товара", many: "товаров" }}', { ...view('ru'), n })).toBe(word);
  });
});
