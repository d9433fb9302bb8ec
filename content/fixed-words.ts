import { chooseLanguage } from '../domain/languages.ts';

/**
 * What stands in a message besides its copy. Liquid with the variables of the place where it stands; `[[…]]` are slots of the layout. Whatever a merchant
 * writes is in the copy instead.
 */
export interface FixedWords {
  /** Why the reader gets this, with `[[because]]` as its clause. */
  reason: string;
  /** The clause where the copy gives none, by kind of subject; `other` for kinds that have no words here. */
  because: { cart: string; lead: string; other: string };
  unsubscribe: string;
  /** On demo traffic: of an email, of a text message. */
  syntheticEmail: string;
  syntheticText: string;
  /** In the place of a product's title that is not known. */
  item: string;
  quantity: string;
  unitPrice: string;
  /** `[[before]]` is the price before a reduction. */
  priceBefore: string;
  discount: string;
  /** How many are left of a product, and what customers give it: beside the product that the claim is about. */
  stock: string;
  rating: string;
  more: string;
  total: string;
  /** How a text message says that STOP ends it. */
  optOut: string;
}

// One register in each language: German, French and Russian address the reader formally, Spanish, Italian and Portuguese informally, Persian politely,
// and Arabic without a word that depends on the reader's sex.
const table = {
  en: {
    reason: 'You are getting this email because [[because]].',
    because: {
      cart: 'you left something in your cart at {{ store.name }}',
      lead: 'you left your contact details with {{ store.name }}',
      other: 'you are in touch with {{ store.name }}',
    },
    unsubscribe: 'Unsubscribe',
    syntheticEmail: 'Synthetic demo message',
    syntheticText: 'Demo',
    item: 'Item',
    quantity: 'Qty {{ item.quantity }}',
    unitPrice: '[[price]] each',
    priceBefore: 'was [[before]]',
    discount: '{{ item.discount }} off',
    stock: '{{ lowStock.left | number }} in stock',
    rating: '{{ reviews.average }} out of 5 ({{ reviews.count }})',
    more: 'and {{ cart.moreCount | number }} more',
    total: 'Total',
    optOut: 'Reply STOP to opt out',
  },
  de: {
    reason: 'Sie erhalten diese E-Mail, weil [[because]].',
    because: {
      cart: 'Sie bei {{ store.name }} etwas im Warenkorb gelassen haben',
      lead: 'Sie {{ store.name }} Ihre Kontaktdaten gegeben haben',
      other: 'Sie mit {{ store.name }} in Kontakt stehen',
    },
    unsubscribe: 'Abmelden',
    syntheticEmail: 'Künstliche Demo-Nachricht',
    syntheticText: 'Demo',
    item: 'Artikel',
    quantity: 'Menge: {{ item.quantity }}',
    unitPrice: 'je [[price]]',
    priceBefore: 'statt [[before]]',
    discount: '{{ item.discount }} günstiger',
    stock: 'Noch {{ lowStock.left | number }} auf Lager',
    rating: '{{ reviews.average }} von 5 Sternen ({{ reviews.count }})',
    more: 'und {{ cart.moreCount | number }} weitere',
    total: 'Summe',
    optOut: 'Abmelden: Antwort STOP',
  },
  fr: {
    reason: 'Vous recevez cet e-mail parce que [[because]].',
    because: {
      cart: 'vous avez laissé des articles dans votre panier chez {{ store.name }}',
      lead: 'vous avez laissé vos coordonnées à {{ store.name }}',
      other: 'vous êtes en contact avec {{ store.name }}',
    },
    unsubscribe: 'Se désabonner',
    syntheticEmail: 'Message fictif de démonstration',
    syntheticText: 'Démo',
    item: 'Article',
    quantity: 'Quantité : {{ item.quantity }}',
    unitPrice: '[[price]] l’unité',
    priceBefore: 'au lieu de [[before]]',
    discount: '{{ item.discount }} de remise',
    stock: 'En stock : {{ lowStock.left | number }}',
    rating: 'Note : {{ reviews.average }} sur 5 ({{ reviews.count }})',
    more: 'et {{ cart.moreCount | number }} de plus',
    total: 'Total',
    optOut: 'STOP pour ne plus recevoir de SMS',
  },
  es: {
    reason: 'Recibes este correo porque [[because]].',
    because: {
      cart: 'dejaste algo en tu carrito de {{ store.name }}',
      lead: 'dejaste tus datos de contacto a {{ store.name }}',
      other: 'estás en contacto con {{ store.name }}',
    },
    unsubscribe: 'Darse de baja',
    syntheticEmail: 'Mensaje ficticio de demostración',
    syntheticText: 'Demo',
    item: 'Artículo',
    quantity: 'Cantidad: {{ item.quantity }}',
    unitPrice: '[[price]] por unidad',
    priceBefore: 'antes [[before]]',
    discount: '{{ item.discount }} de descuento',
    stock: 'Quedan: {{ lowStock.left | number }}',
    rating: '{{ reviews.average }} de 5 ({{ reviews.count }})',
    more: 'y {{ cart.moreCount | number }} más',
    total: 'Total',
    optOut: 'Responde STOP para darte de baja',
  },
  fa: {
    reason: 'این ایمیل را دریافت کرده‌اید چون [[because]].',
    because: {
      cart: 'خرید شما در {{ store.name }} نیمه‌تمام مانده است',
      lead: 'اطلاعات تماس خود را به {{ store.name }} داده‌اید',
      other: 'با {{ store.name }} در ارتباط هستید',
    },
    unsubscribe: 'لغو اشتراک',
    syntheticEmail: 'پیام ساختگی آزمایشی',
    syntheticText: 'آزمایشی',
    item: 'کالا',
    quantity: 'تعداد: {{ item.quantity }}',
    unitPrice: 'هر واحد [[price]]',
    priceBefore: 'قیمت قبلی [[before]]',
    discount: '{{ item.discount }} تخفیف',
    stock: 'موجودی: {{ lowStock.left | number }}',
    rating: 'امتیاز {{ reviews.average }} از ۵ ({{ reviews.count }})',
    more: 'و {{ cart.moreCount | number }} مورد دیگر',
    total: 'جمع کل',
    optOut: 'برای لغو STOP بفرستید',
  },
  ar: {
    reason: 'تصلك هذه الرسالة لأنك [[because]].',
    because: {
      cart: 'تركت منتجات في سلة مشترياتك لدى {{ store.name }}',
      lead: 'تركت بيانات التواصل معك لدى {{ store.name }}',
      other: 'على تواصل مع {{ store.name }}',
    },
    unsubscribe: 'إلغاء الاشتراك',
    syntheticEmail: 'رسالة تجريبية غير حقيقية',
    syntheticText: 'تجربة',
    item: 'منتج',
    quantity: 'الكمية: {{ item.quantity }}',
    unitPrice: 'سعر الوحدة [[price]]',
    priceBefore: 'السعر السابق [[before]]',
    discount: 'خصم {{ item.discount }}',
    stock: 'المتوفر: {{ lowStock.left | number }}',
    rating: 'التقييم {{ reviews.average }} من 5 ({{ reviews.count }})',
    more: 'ومنتجات أخرى: {{ cart.moreCount | number }}',
    total: 'المجموع',
    optOut: 'للإلغاء: STOP',
  },
  ru: {
    reason: 'Вы получили это письмо, потому что [[because]].',
    because: {
      cart: 'в вашей корзине в магазине {{ store.name }} остались товары',
      lead: 'вы оставили свои контактные данные в компании {{ store.name }}',
      other: 'вы поддерживаете связь с компанией {{ store.name }}',
    },
    unsubscribe: 'Отписаться',
    syntheticEmail: 'Демонстрационное сообщение',
    syntheticText: 'Демо',
    item: 'Товар',
    quantity: 'Количество: {{ item.quantity }}',
    unitPrice: '[[price]] за штуку',
    priceBefore: 'вместо [[before]]',
    discount: 'Скидка {{ item.discount }}',
    stock: 'Осталось: {{ lowStock.left | number }}',
    rating: 'Оценка: {{ reviews.average }} из 5 ({{ reviews.count }})',
    more: 'и ещё {{ cart.moreCount | number }}',
    total: 'Итого',
    optOut: 'Отказ: ответьте STOP',
  },
  it: {
    reason: 'Ricevi questa e-mail perché [[because]].',
    because: {
      cart: 'hai lasciato qualcosa nel carrello di {{ store.name }}',
      lead: 'hai lasciato i tuoi recapiti a {{ store.name }}',
      other: 'sei in contatto con {{ store.name }}',
    },
    unsubscribe: 'Annulla l’iscrizione',
    syntheticEmail: 'Messaggio dimostrativo fittizio',
    syntheticText: 'Demo',
    item: 'Articolo',
    quantity: 'Quantità: {{ item.quantity }}',
    unitPrice: '[[price]] l’uno',
    priceBefore: 'invece di [[before]]',
    discount: 'Sconto: {{ item.discount }}',
    stock: 'Disponibili: {{ lowStock.left | number }}',
    rating: '{{ reviews.average }} su 5 ({{ reviews.count }})',
    more: 'e altri {{ cart.moreCount | number }}',
    total: 'Totale',
    optOut: 'Rispondi STOP per non riceverne più',
  },
  nl: {
    reason: 'Je ontvangt deze e-mail omdat [[because]].',
    because: {
      cart: 'je iets in je winkelwagen bij {{ store.name }} hebt laten liggen',
      lead: 'je je contactgegevens bij {{ store.name }} hebt achtergelaten',
      other: 'je contact hebt met {{ store.name }}',
    },
    unsubscribe: 'Afmelden',
    syntheticEmail: 'Fictief demobericht',
    syntheticText: 'Demo',
    item: 'Artikel',
    quantity: 'Aantal: {{ item.quantity }}',
    unitPrice: '[[price]] per stuk',
    priceBefore: 'was [[before]]',
    discount: '{{ item.discount }} korting',
    stock: 'Nog {{ lowStock.left | number }} op voorraad',
    rating: '{{ reviews.average }} van 5 ({{ reviews.count }})',
    more: 'en nog {{ cart.moreCount | number }}',
    total: 'Totaal',
    optOut: 'Antwoord STOP om af te melden',
  },
  pt: {
    reason: 'Você está recebendo este e-mail porque [[because]].',
    because: {
      cart: 'deixou algo no carrinho em {{ store.name }}',
      lead: 'deixou seus dados de contato com {{ store.name }}',
      other: 'está em contato com {{ store.name }}',
    },
    unsubscribe: 'Cancelar inscrição',
    syntheticEmail: 'Mensagem fictícia de demonstração',
    syntheticText: 'Demo',
    item: 'Item',
    quantity: 'Quantidade: {{ item.quantity }}',
    unitPrice: '[[price]] cada',
    priceBefore: 'antes [[before]]',
    discount: '{{ item.discount }} de desconto',
    stock: 'Em estoque: {{ lowStock.left | number }}',
    rating: '{{ reviews.average }} de 5 ({{ reviews.count }})',
    more: 'e mais {{ cart.moreCount | number }}',
    total: 'Total',
    optOut: 'Responda STOP para sair',
  },
} satisfies Record<string, FixedWords>;

const languages: ReadonlyMap<string, FixedWords> = new Map(Object.entries(table));

/** The languages that have words here. Texts in others are surrounded by English ones. */
const fixedWordLanguages: readonly string[] = [...languages.keys()];

const chosen = new Map<string, FixedWords>();

/** @param language - BCP 47, of the copy */
export function fixedWordsOf(language: string): FixedWords {
  const known = chosen.get(language) ?? languages.get(chooseLanguage(fixedWordLanguages, [language]) ?? 'en') ?? table.en;
  if (chosen.size < 1_000) chosen.set(language, known);
  return known;
}
