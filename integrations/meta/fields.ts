/** What a question of a form may ask for. */
export const leadFields = ['firstName', 'lastName', 'fullName', 'email', 'phone', 'sub_id', 'click_id', 'interest', 'area', 'preferences'] as const;
export type LeadField = (typeof leadFields)[number];

/** Names that forms in other languages use, as `plainName` writes them. Meta's own prefilled questions are the first of each list. */
const builtIn: Record<LeadField, readonly string[]> = {
  firstName: [
    ...['firstname', 'givenname', 'forename', 'vorname', 'prenom', 'nombre', 'primernombre', 'nombres', 'primeironome', 'voornaam', 'fornamn'],
    ...['fornavn', 'etunimi', 'imie', 'jmeno', 'krstnemeno', 'keresztnev', 'prenume', 'onoma', 'isim', 'adi', 'имя', 'імя', 'الاسمالاول'],
    ...['όνομα', 'שםפרטי', '名', 'ชื่อ', 'tên', 'namadepan', 'प्रथमनाम', 'име'],
  ],
  lastName: [
    ...['lastname', 'surname', 'familyname', 'nachname', 'familienname', 'nom', 'nomdefamille', 'apellido', 'apellidos', 'cognome', 'sobrenome'],
    ...['apelido', 'ultimonome', 'achternaam', 'efternamn', 'etternavn', 'efternavn', 'sukunimi', 'nazwisko', 'prijmeni', 'priezvisko'],
    ...['vezeteknev', 'numedefamilie', 'eponymo', 'soyisim', 'soyad', 'soyadi', 'фамилия', 'прізвище', 'اسمالعائلة'],
    ...['επώνυμο', 'שםמשפחה', '姓', '성', 'นามสกุล', 'họ', 'namabelakang', 'उपनाम', 'фамилно име'],
  ],
  fullName: [
    ...['fullname', 'name', 'yourname', 'vollstandigername', 'vorundnachname', 'nomcomplet', 'nomecompleto', 'nombrecompleto'],
    ...[
      'nombreyapellidos',
      'nomeecognome',
      'nome',
      'naam',
      'volledigenaam',
      'imieinazwisko',
      'celejmeno',
      'teljesnev',
      'adsoyad',
      'полноеимя',
      'фио',
    ],
    ...['nomecognome', 'fuldenavn', 'fuldtnavn', 'fulltnavn', 'navn', 'fullstandigtnamn', 'namn', 'kokonimi', 'numecomplet', 'adisoyadi'],
    ...[
      'الاسمالكامل',
      'الاسم',
      'ονοματεπώνυμο',
      'שםמלא',
      '氏名',
      '名前',
      'お名前',
      '이름',
      'フルネーム',
      '全名',
      '姓名',
      '성명',
      'ชื่อ-นามสกุล',
      'họ và tên',
      'nama',
      'namalengkap',
    ],
    ...['पूरानाम', 'नाम', 'повнеімя', 'ime i priimek', 'imeiprezime'],
  ],
  email: [
    ...['email', 'emailaddress', 'mail', 'workemail', 'businessemail', 'emailadresse', 'emailadres', 'adresseemail', 'adressemail', 'courriel'],
    ...['correo', 'correoelectronico', 'correoelectronic', 'indirizzoemail', 'enderecodeemail', 'epost', 'epostadress', 'sahkoposti', 'adresemail'],
    ...['eposta', 'epostaadresi', 'adresaemail', 'почта', 'электроннаяпочта', 'адресэлектроннойпочты', 'имейл', 'емейл', 'البريدالالكتروني'],
    ...['direccion de correo electronico', 'direccion de correo', 'email adresse', 'sahkopostiosoite', 'e-mailadres', 'електронна пошта', 'пошта'],
    ...[
      'ηλεκτρονικό ταχυδρομείο',
      'ηλεκτρονική διεύθυνση',
      'אימייל',
      'דואר אלקטרוני',
      'メール',
      'メールアドレス',
      'Eメール',
      '电子邮件',
      '电子邮箱',
      '邮箱',
    ],
    ...['電子郵件', '이메일', '이메일 주소', 'อีเมล', 'địa chỉ email', 'alamat email', 'surel', 'ईमेल', 'имейл адрес'],
  ],
  phone: [
    ...['phonenumber', 'phone', 'telephone', 'mobile', 'mobilephone', 'cell', 'cellphone', 'workphonenumber', 'whatsapp', 'whatsappnumber'],
    ...['telefon', 'telefonnummer', 'handynummer', 'handy', 'mobilnummer', 'rufnummer', 'numerodetelephone', 'portable', 'telefono', 'telefonomovil'],
    ...['movil', 'celular', 'numerodetelefono', 'cellulare', 'numeroditelefono', 'telefone', 'numerodetelefone', 'telemovel', 'telefoonnummer'],
    ...['mobiltelefon', 'puhelin', 'puhelinnumero', 'numertelefonu', 'telefonszam', 'telefonnicislo', 'telefonnumarasi', 'cep', 'телефон'],
    ...['номертелефона', 'мобильныйтелефон', 'رقمالهاتف', 'الهاتف', 'numero di cellulare', 'numero de celular', 'numero de movil', 'gsm', 'tel'],
    ...[
      'telefon numarası',
      'cep telefonu',
      'číslo telefonu',
      'номер телефону',
      'τηλέφωνο',
      'κινητό',
      'טלפון',
      'מספר טלפון',
      '電話',
      '電話番号',
      '携帯電話番号',
    ],
    ...[
      '电话',
      '电话号码',
      '手机',
      '手机号',
      '手机号码',
      '電話號碼',
      '手機號碼',
      '전화번호',
      '휴대폰 번호',
      'เบอร์โทร',
      'เบอร์โทรศัพท์',
      'số điện thoại',
    ],
    ...['nomor telepon', 'nomor hp', 'फ़ोन नंबर', 'मोबाइल नंबर', 'телефонен номер'],
  ],
  sub_id: ['subid', 'sub', 'subid1'],
  click_id: ['clickid', 'cid', 'click'],
  interest: ['interest', 'interestedin', 'interesse', 'interet', 'interes', 'интерес', 'اهتمام', 'علاقه'],
  area: ['area', 'neighbourhood', 'neighborhood', 'district', 'stadtteil', 'bezirk', 'quartier', 'barrio', 'район', 'منطقه', 'منطقة'],
  preferences: ['preferences', 'requirements', 'wunsche', 'preferenzen', 'preferencias', 'пожелания'],
};

/** Letters that are written without their sign as often as with it, and that no decomposition takes it from. */
const letters: Readonly<Record<string, string>> = { ı: 'i', đ: 'd', ł: 'l', ø: 'o', æ: 'ae', œ: 'oe', ß: 'ss' };

const known: ReadonlyMap<string, LeadField> = new Map(leadFields.flatMap((field) => builtIn[field].map((name) => [plainName(name), field] as const)));

/** A question's name without case, accents, spaces and punctuation: `E-Mail-Adresse` and `e_mail_adresse` are one. */
function plainName(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[ıđłøæœß]/g, (letter) => letters[letter] ?? letter)
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** What a connection says by name, whatever the case, accents and punctuation of the name. */
export function byName<T>(own: Readonly<Record<string, T>>): (name: string) => T | null {
  const stated = new Map(Object.entries(own).map(([name, meaning]) => [plainName(name), meaning]));
  return (name) => stated.get(plainName(name)) ?? null;
}

/** What the questions of a connection's forms mean: its own names come first. */
export function fieldOf(own: Readonly<Record<string, LeadField>>): (name: string) => LeadField | null {
  const stated = byName(own);
  return (name) => stated(name) ?? known.get(plainName(name)) ?? null;
}
