/** What a sentence is about, by its words: what a text may not say unless a fact stands behind it. */
export type Topic = 'stock' | 'price_drop' | 'reviews' | 'shipping' | 'returns' | 'deadline' | 'discount' | 'instructions' | 'secrets';

/**
 * Stems, by topic and language. A stem matches at the beginning of a word and whatever follows it; with `!` the whole word alone. A model's text is
 * checked in its own language and in English. Too much is caught rather than too little: what is caught costs the model's text, not the message.
 */
const stems: Record<Topic, Record<string, string>> = {
  stock: {
    en: 'few left|none left|one left|left in stock|left in store|in stock|stock|sold out|sell out|selling fast|selling out|almost gone|nearly gone|run out|running out|running low|limited|scarce|last one|last piece|last chance|last few|few remain|remaining!|going fast|high demand|popular demand|in demand|hurry|before it’s gone|before it is gone|before they’re gone|reserved|hold it for|won’t last|units!|unit!',
    de: 'auf lager|lager|vorrätig|vorrat|ausverkauft|nur noch|fast weg|knapp|begrenzt|limitiert|letzte chance|letzte stück|letzten stück|beeil|reserviert|nachfrage|restposten|schnell vergriffen|vergriffen',
    fr: 'en stock|stock|rupture|plus que|épuis|limité|dernière chance|derniers exemplaires|dernières pièces|dernier exemplaire|dépêche|presque parti|réservé|forte demande',
    es: 'existencias|en stock|stock|agotad|agotar|solo quedan|sólo quedan|quedan!|queda!|últimas unidades|última oportunidad|limitad|date prisa|dese prisa|reservad|demanda|unidades',
    ru: 'осталось|осталась|остались|в наличии|наличи|на складе|склад|закончи|заканчива|раскуп|распродан|ограничен|последн|спеши|поспеши|успе|разбира|зарезерв|спрос',
    ar: 'متبق|المتبق|بقي|تبق|المخزون|مخزون|نفد|نفاد|ينفد|محدود|المحدود|آخر فرصة|آخر قطعة|القطع الأخيرة|أسرع|سارع|محجوز|الطلب عليه',
    fa: 'موجودی|موجود|ناموجود|باقی مانده|باقی‌مانده|تا مانده|عدد مانده|آخرین|تمام می‌شود|تمام میشود|رو به اتمام|اتمام|محدود|عجله|بشتاب|رزرو|پرطرفدار|پرفروش',
  },
  price_drop: {
    en: 'price drop|price has|price is now|reduced|lowered|marked down|cheaper|was priced|used to cost|lower price|new price|price cut',
    de: 'reduziert|gesenkt|günstiger|preissenkung|billiger|herabgesetzt|statt bisher|neuer preis',
    fr: 'baissé|baisse|réduit|moins cher|prix a|au lieu de',
    es: 'rebajad|bajado|bajada|más barat|en lugar de|precio reducido|reducid',
    ru: 'снижен|снизил|дешевле|подешевел|уцен|вместо',
    ar: 'انخفض|تخفيض السعر|أرخص|بدلا من|بدلاً من',
    fa: 'ارزان|کاهش|افت قیمت|پایین آمد',
  },
  reviews: {
    en: 'review|rated!|rating|star!|stars!|bestsell|best-sell|best sell|popular|favorite|favourite|customers love|customers say|customers rave|loved by|everyone|thousands|hundreds of|people love|award|testimonial|recommend|trending|number one|most wanted|top-rated|acclaimed',
    de: 'bewert|sterne|stern!|bestseller|beliebt|lieblings|kunden lieben|kunden sagen|tausende|ausgezeichnet|empfehl|meistverkauft|rezension|testsieger',
    fr: 'avis|étoile|noté|meilleure vente|populaire|préféré|clients adorent|clients disent|milliers|recommand|récompens|témoignage',
    es: 'reseña|valoraci|valorad|estrella|más vendid|popular|favorit|clientes dicen|a nuestros clientes|miles de|premiad|recomend|opinion|opinión',
    ru: 'отзыв|рейтинг|оцен|звезд|звёзд|бестселлер|популяр|любим|хит!|хит продаж|тысяч|рекоменд|награ|покупатели',
    ar: 'تقييم|مراجع|نجوم|نجمة|الأكثر مبيع|شائع|مفضل|المفضل|يحبه|عملاؤنا|آلاف|جائزة|يوصي|نوصي',
    fa: 'نظر|امتیاز|ستاره|پرفروش|محبوب|مشتریان|هزاران|جایزه|پیشنهاد می|توصیه',
  },
  shipping: {
    en: 'shipping|ships!|shipped|deliver|dispatch|courier|postage|arrives|at your door|on its way',
    de: 'versand|versend|liefer|porto|zustell|kurier',
    fr: 'livr|expédi|frais de port|envoi|coursier',
    es: 'envío|envio|envia|entrega|reparto|mensajer',
    ru: 'доставк|достав|отправ|курьер|пересыл',
    ar: 'شحن|الشحن|توصيل|التوصيل|تسليم|يصلك',
    fa: 'ارسال|تحویل|پیک!|حمل',
  },
  returns: {
    en: 'return policy|returns!|returned!|return it|return them|refund|exchange|money back|money-back|guarantee|warranty|send it back|send them back|try it at home|risk-free|risk free|no risk',
    de: 'rückgabe|zurückschick|zurückgeb|zurücksend|retoure|erstatt|umtausch|garantie|gewähr|geld zurück',
    fr: 'renvo|rembours|échang|garanti|satisfait ou|retourner|retours!',
    es: 'devol|reembols|cambios!|garantí|garantiz|devuel',
    ru: 'возврат|вернуть!|вернёте|вернете|вернём|вернем|обмен|гарант|возмещ',
    ar: 'إرجاع|الإرجاع|استرداد|استبدال|ضمان|مضمون',
    fa: 'مرجوع|بازگشت وجه|پس دادن|تعویض|ضمانت|گارانتی|تضمین|عودت',
  },
  deadline: {
    en: 'today only|tonight|expire|expiring|deadline|last day|final hour|final day|final call|final offer|final chance|hours left|days left|minutes left|now or never|don’t miss|do not miss|don’t wait|do not wait|act now|act fast|immediately|urgent|countdown|midnight|ends soon|ends today|ending soon|offer ends|only today|right now|before it’s too late|before it is too late|too late|while you can|time is running|limited time|this weekend only|by tomorrow|until tomorrow|within 24|soon be gone',
    de: 'nur heute|heute abend|läuft ab|ablauf|frist|letzter tag|letzte stunden|endet|sofort|dringend|mitternacht|jetzt oder nie|verpass|warten sie nicht|warte nicht|zu spät|nur noch heute|bis morgen|kurze zeit',
    fr: 'aujourd’hui seulement|ce soir|expir|échéance|dernier jour|dernières heures|se termine|immédiatement|urgent|minuit|ne manquez pas|ne manque pas|trop tard|jusqu’à demain|durée limitée',
    es: 'solo hoy|sólo hoy|esta noche|caduc|expira|fecha límite|último día|últimas horas|termina|inmediatamente|urgente|medianoche|no te lo pierdas|no se lo pierda|demasiado tarde|hasta mañana|tiempo limitado',
    ru: 'только сегодня|сегодня вечером|истека|истеч|срок|последний день|последние часы|заканчивается|немедленно|срочн|полноч|не упустите|не пропустите|поздно|до завтра|ограниченное время|прямо сейчас',
    ar: 'اليوم فقط|الليلة|ينتهي|تنتهي|صلاحية|الموعد النهائي|آخر يوم|فورا|فوراً|عاجل|منتصف الليل|لا تفوت|فوات الأوان|حتى الغد|لفترة محدودة',
    fa: 'فقط امروز|امشب|منقضی|انقضا|مهلت|آخرین روز|آخرین ساعت|فوری|فوراً|نیمه شب|نیمه‌شب|از دست ندهید|دیر نشده|تا فردا|زمان محدود|همین حالا',
  },
  discount: {
    en: 'discount|percent|per cent|coupon|voucher|promo|code!|codes!|deal!|deals!|bargain|sale!|sales!|off!|free!|freebie|gift|bonus|reward|cashback|cash back|complimentary|on us!|no charge|for nothing|half price|half-price|half the price|half off|two for one|bogo|rebate|savings|save up|save money|save big|save on|you save|special offer|exclusive offer|special price|credit!|prize|won!|winner|lottery|giveaway|clearance',
    de: 'rabatt|prozent|gutschein|code!|codes!|aktionscode|schnäppchen|angebot!|sonderangebot|angebote!|gratis|kostenlos|umsonst|geschenk|bonus|prämie|sparen|sparst|nachlass|halber preis|zum halben|gewinn|ermäßig|aktion!|vergünstig',
    fr: 'remise|réduction|pour cent|pourcent|bon d’achat|code!|codes!|promo|solde|offert|gratuit|cadeau|bonus|récompense|économis|moitié prix|gagn|rabais|offre spéciale|offre exclusive',
    es: 'descuento|por ciento|cupón|cupon|vale!|código|codigo|promo|oferta|gratis|gratuit|regalo|bono|recompensa|ahorr|mitad de precio|ganador|premio|rebaja|liquidaci',
    ru: 'скидк|скидо|процент|купон|промокод|код!|коды!|акци|распродаж|бесплатн|подар|бонус|даром|сэконом|эконом|полцены|выигр|приз!|кэшбэк|кешбэк|спецпредложен',
    ar: 'خصم|الخصم|تخفيض|بالمئة|بالمائة|قسيمة|كوبون|رمز|كود|عرض خاص|عروض|مجان|هدية|هدايا|مكافأة|توفير|وفر|نصف السعر|جائزة|ربحت',
    fa: 'تخفیف|درصد|کوپن|کد!|بن!|حراج|رایگان|هدیه|جایزه|پاداش|صرفه‌جویی|صرفه جویی|نصف قیمت|برنده|پیشنهاد ویژه|مجانی',
  },
  instructions: {
    en: 'as an ai|language model|system prompt|prompt!|instruction|ignore previous|ignore all|ignore the|disregard|jailbreak|developer mode|i cannot|i can’t|i’m sorry|i am sorry|i’m unable|openai|chatgpt|gpt!|assistant!|json|placeholder|insert name|your name|lorem ipsum|pwned|hacked|override|system:',
    de: 'als ki|sprachmodell|anweisung|ignorier|systemprompt|platzhalter',
    fr: 'en tant qu’ia|modèle de langage|instruction|ignorez|ignore!',
    es: 'como ia|modelo de lenguaje|instruccion|ignora',
    ru: 'как ии|языковая модель|инструкци|игнориру|системный промпт',
    ar: 'نموذج لغوي|تعليمات|تجاهل',
    fa: 'مدل زبانی|دستورالعمل|نادیده بگیر',
  },
  secrets: {
    en: 'password|passcode|passphrase|pin!|pin code|pin number|cvv|cvc|card number|card detail|your credit card|your debit card|bank detail|bank account|account number|account detail|iban!|routing number|sort code|social security|security code|verification code|one-time code|one time code|login detail|your login|seed phrase|bitcoin|crypto',
    de: 'passwort|kennwort|kartennummer|kartendaten|ihre kreditkarte|deine kreditkarte|bankdaten|bankverbindung|kontonummer|kontodaten|zugangsdaten|prüfnummer|prüfziffer|sicherheitscode|bestätigungscode|einmalcode|ausweisnummer',
    fr: 'mot de passe|mots de passe|numéro de carte|votre carte bancaire|coordonnées bancaires|compte bancaire|rib!|code de sécurité|code de vérification|code confidentiel|identifiants',
    es: 'contraseña|clave de acceso|número de tarjeta|tu tarjeta de crédito|su tarjeta de crédito|datos bancarios|cuenta bancaria|código de seguridad|código de verificación',
    ru: 'парол|номер карты|данные карты|банковск|номер счета|номер счёта|код из смс|код подтверждения|пин-код|паспорт',
    ar: 'كلمة المرور|كلمة السر|رقم البطاقة|بيانات البطاقة|حساب بنكي|حسابك البنكي|الحساب البنكي|رمز التحقق|رمز الأمان|رقم سري',
    fa: 'رمز عبور|گذرواژه|کلمه عبور|شماره کارت|شمارهٔ کارت|اطلاعات کارت|حساب بانکی|شماره حساب|شمارهٔ حساب|کد تأیید|کد تایید|رمز دوم',
  },
};

/** What no list of words says: "3 left", "2 of them are left". */
const patterns: Partial<Record<Topic, Record<string, string>>> = {
  stock: {
    en: '\\d+\\s+(?:\\p{L}+\\s+){0,3}left(?![\\p{L}])|(?:two|three|four|five|six|seven|eight|nine|ten|couple|handful)\\s+(?:\\p{L}+\\s+){0,3}left(?![\\p{L}])',
  },
};

/** Languages in which a text can be checked. In others the template goes out. */
export const checkedLanguages: readonly string[] = ['en', 'de', 'fr', 'es', 'ru', 'ar', 'fa'];

const compiled = new Map<string, RegExp>();

/** Finds a topic's words, in a language and in English. For text with typographic apostrophes, whatever its case. */
export function topicPattern(topic: Topic, language: string): RegExp {
  const key = `${topic} ${language}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const all = [stems[topic]['en'], language === 'en' ? undefined : stems[topic][language]].filter((list) => list !== undefined).join('|');
  const parts = all.split('|').map((stem) => (stem.endsWith('!') ? `${escaped(stem.slice(0, -1))}(?![\\p{L}\\p{N}])` : escaped(stem)));
  // Arabic and Persian write articles, conjunctions and prepositions onto the word.
  const before = language === 'ar' || language === 'fa' ? '(?<![\\p{L}\\p{N}])(?:[وفبكل]?(?:ال|لل)?)?' : '(?<![\\p{L}\\p{N}])';
  const own = [patterns[topic]?.['en'], language === 'en' ? undefined : patterns[topic]?.[language]].filter((one) => one !== undefined);
  const pattern = new RegExp([`${before}(?:${parts.join('|')})`, ...own].join('|'), 'iu');
  compiled.set(key, pattern);
  return pattern;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(' ', '\\s+');

/** The commonest short words of languages in the Latin script: by them one is told from another. */
export const stopWords: Readonly<Record<string, ReadonlySet<string>>> = {
  en: wordSet('the and you your is it in to of for we are this that with have if was at our on be can still what from there need any'),
  de: wordSet(
    'der die das und sie ihr ihre ihren ihrem ist im in zu den dem mit für wir ein eine noch es wenn auf bei haben du dein deine dir nicht auch von',
  ),
  fr: wordSet('le la les et vous votre vos est dans de des du pour nous un une avec si ce cette sur à au que toujours avez il elle pas ou tu ton ta'),
  es: wordSet('el la los las y tu su usted es en de del para nosotros un una con si este esta sobre a al que todavía tiene no o te lo por'),
};

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(' '));
}
