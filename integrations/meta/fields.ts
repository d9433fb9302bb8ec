/** What a question of a form may ask for. */
export const leadFields = ['firstName', 'lastName', 'fullName', 'email', 'phone', 'sub_id', 'click_id'] as const;
export type LeadField = (typeof leadFields)[number];

/** Names that forms in other languages use, as `plainName` writes them. Meta's own prefilled questions are the first of each list. */
const builtIn: Record<LeadField, readonly string[]> = {
  firstName: [
    ...['firstname', 'givenname', 'forename', 'vorname', 'prenom', 'nombre', 'primernombre', 'nombres', 'primeironome', 'voornaam', 'fornamn'],
    ...['fornavn', 'etunimi', 'imie', 'jmeno', 'krstnemeno', 'keresztnev', 'prenume', 'onoma', 'isim', 'имя', 'імя', 'الاسمالاول'],
  ],
  lastName: [
    ...['lastname', 'surname', 'familyname', 'nachname', 'familienname', 'nom', 'nomdefamille', 'apellido', 'apellidos', 'cognome', 'sobrenome'],
    ...['apelido', 'ultimonome', 'achternaam', 'efternamn', 'etternavn', 'efternavn', 'sukunimi', 'nazwisko', 'prijmeni', 'priezvisko'],
    ...['vezeteknev', 'numedefamilie', 'eponymo', 'soyisim', 'soyad', 'soyadi', 'фамилия', 'прізвище', 'اسمالعائلة'],
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
    ...['الاسمالكامل', 'الاسم'],
  ],
  email: [
    ...['email', 'emailaddress', 'mail', 'workemail', 'businessemail', 'emailadresse', 'emailadres', 'adresseemail', 'adressemail', 'courriel'],
    ...['correo', 'correoelectronico', 'correoelectronic', 'indirizzoemail', 'enderecodeemail', 'epost', 'epostadress', 'sahkoposti', 'adresemail'],
    ...['eposta', 'epostaadresi', 'adresaemail', 'почта', 'электроннаяпочта', 'адресэлектроннойпочты', 'имейл', 'емейл', 'البريدالالكتروني'],
  ],
  phone: [
    ...['phonenumber', 'phone', 'telephone', 'mobile', 'mobilephone', 'cell', 'cellphone', 'workphonenumber', 'whatsapp', 'whatsappnumber'],
    ...['telefon', 'telefonnummer', 'handynummer', 'handy', 'mobilnummer', 'rufnummer', 'numerodetelephone', 'portable', 'telefono', 'telefonomovil'],
    ...['movil', 'celular', 'numerodetelefono', 'cellulare', 'numeroditelefono', 'telefone', 'numerodetelefone', 'telemovel', 'telefoonnummer'],
    ...['mobiltelefon', 'puhelin', 'puhelinnumero', 'numertelefonu', 'telefonszam', 'telefonnicislo', 'telefonnumarasi', 'cep', 'телефон'],
    ...['номертелефона', 'мобильныйтелефон', 'رقمالهاتف', 'الهاتف'],
  ],
  sub_id: ['subid', 'sub', 'subid1'],
  click_id: ['clickid', 'cid', 'click'],
};

const known: ReadonlyMap<string, LeadField> = new Map(leadFields.flatMap((field) => builtIn[field].map((name) => [plainName(name), field] as const)));

/** A question's name without case, accents, spaces and punctuation: `E-Mail-Adresse` and `e_mail_adresse` are one. */
function plainName(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
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
