/** What the local model writes, by language. `{title}` is the first product, or what the message is about; the second set is for when nothing has a name. */
export interface SampleText {
  subject: string;
  body: string;
  cta: string;
}

const named: Readonly<Record<string, readonly SampleText[]>> = {
  en: [
    {
      subject: '{title} is still in your cart',
      body: 'You left {title} with us, and it is still where you put it.\n\nIf you have a question about it, answer this email and a person will read it.',
      cta: 'Back to my cart',
    },
    {
      subject: 'Still thinking about {title}?',
      body: 'Take all the time you need. We kept your cart as you left it, with {title} in it.\n\nIf something was unclear, write to us and we will help you.',
      cta: 'See my cart',
    },
  ],
  de: [
    {
      subject: '{title} liegt noch in Ihrem Warenkorb',
      body: 'Sie haben {title} bei uns gelassen, und es ist noch da, wo es war.\n\nWenn Sie eine Frage haben, schreiben Sie uns. Wir helfen Ihnen gern.',
      cta: 'Zum Warenkorb',
    },
  ],
  fr: [
    {
      subject: '{title} est toujours dans votre panier',
      body: 'Vous avez laissé {title} dans votre panier, et il est toujours là.\n\nSi vous avez une question, écrivez-nous et nous vous aiderons.',
      cta: 'Voir mon panier',
    },
  ],
  es: [
    {
      subject: '{title} sigue en tu carrito',
      body: 'Has dejado {title} en tu carrito, y sigue ahí para ti.\n\nSi tienes una pregunta, escribe y te ayudamos con lo que sea.',
      cta: 'Ver mi carrito',
    },
  ],
  ru: [
    {
      subject: '{title} всё ещё в корзине',
      body: 'Вы оставили {title} в корзине, и корзина ждёт вас.\n\nЕсли у вас есть вопрос, напишите нам, и мы поможем.',
      cta: 'Вернуться в корзину',
    },
  ],
  ar: [
    {
      subject: '{title} في سلة التسوق',
      body: 'لقد تركت {title} في سلة التسوق، وهي كما هي.\n\nإذا كان لديك سؤال فاكتب إلينا وسنساعدك على الفور.',
      cta: 'العودة إلى السلة',
    },
  ],
  fa: [
    {
      subject: '{title} هنوز در سبد شماست',
      body: 'شما {title} را در سبد خود گذاشته‌اید و سبد همان‌طور که بود مانده است.\n\nاگر پرسشی دارید برای ما بنویسید تا کمک کنیم.',
      cta: 'بازگشت به سبد',
    },
  ],
};

const unnamed: SampleText = {
  subject: 'Can we help you with anything?',
  body: 'You were with us a little while ago, and we kept everything as you left it.\n\nIf you have a question, answer this message and a person will read it.',
  cta: 'Go on where you left off',
};

/** @param choice - a whole number: which of several texts */
export function sampleText(language: string, title: string | null, choice: number): SampleText {
  const texts = named[language] ?? named['en'] ?? [];
  const text = title === null ? unnamed : (texts[choice % texts.length] ?? unnamed);
  const filled = (part: string) => part.replaceAll('{title}', title ?? '');
  return { subject: filled(text.subject), body: filled(text.body), cta: filled(text.cta) };
}
