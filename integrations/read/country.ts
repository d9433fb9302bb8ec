import { asciiDigits } from '../../domain/ascii-digits.ts';
import { withoutInvisible } from '../../domain/people/identity.ts';
import { isAbsent, type Notes, note } from './notes.ts';
import { readText } from './text.ts';

// ISO 3166-1: each alpha-3 code and its alpha-2 code. ICU knows the numeric codes and the names, not these.
const codes =
  'ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT AZEAZ BDIBI BELBE BENBJ BESBQ BFABF BGDBD ' +
  'BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO BRABR BRBBB BRNBN BTNBT BVTBV BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM ' +
  'CODCD COGCG COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO DZADZ ECUEC EGYEG ERIER ESHEH ' +
  'ESPES ESTEE ETHET FINFI FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL ' +
  'GTMGT GUFGF GUMGU GUYGY HKGHK HMDHM HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL ITAIT JAMJM JEYJE JORJO ' +
  'JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA ' +
  'MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA NCLNC ' +
  'NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE PHLPH PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY ' +
  'PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA SDNSD SENSN SGPSG SGSGS SHNSH SJMSJ SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST ' +
  'SURSR SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO TTOTT TUNTN TURTR TUVTV TWNTW TZATZ ' +
  'UGAUG UKRUA UMIUM URYUY USAUS UZBUZ VATVA VCTVC VENVE VGBVG VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA ZMBZM ZWEZW';
const byAlpha3 = new Map(codes.split(' ').map((pair) => [pair.slice(0, 3), pair.slice(3)]));
const alpha2 = new Set(byAlpha3.values());

// Two letters that people use and ISO reserves for others.
const reserved: Readonly<Record<string, string>> = { UK: 'GB', EL: 'GR' };

/** Names that CLDR does not have, or has for something larger. */
const otherNames: Readonly<Record<string, string>> = {
  'united states of america': 'US',
  america: 'US',
  'great britain': 'GB',
  england: 'GB',
  scotland: 'GB',
  wales: 'GB',
  'northern ireland': 'GB',
  'republic of ireland': 'IE',
  holland: 'NL',
  'the netherlands': 'NL',
  oesterreich: 'AT',
  'bundesrepublik deutschland': 'DE',
  'federal republic of germany': 'DE',
  'czech republic': 'CZ',
  'slovak republic': 'SK',
  'russian federation': 'RU',
  'south korea': 'KR',
  korea: 'KR',
  'republic of korea': 'KR',
  'korea republic of': 'KR',
  'viet nam': 'VN',
  turkey: 'TR',
  macedonia: 'MK',
  swaziland: 'SZ',
  burma: 'MM',
  'cape verde': 'CV',
  'ivory coast': 'CI',
  'hong kong': 'HK',
  macau: 'MO',
  macao: 'MO',
  taiwan: 'TW',
  'taiwan province of china': 'TW',
  'peoples republic of china': 'CN',
  'iran islamic republic of': 'IR',
  'moldova republic of': 'MD',
  'tanzania united republic of': 'TZ',
  'venezuela bolivarian republic of': 'VE',
  'bolivia plurinational state of': 'BO',
  'syrian arab republic': 'SY',
  'lao peoples democratic republic': 'LA',
  'brunei darussalam': 'BN',
  palestine: 'PS',
  emirates: 'AE',
  uae: 'AE',
  usa: 'US',
};

// Languages whose names of countries are understood, those of most shops first.
const languages = (
  'en de fr es it pt nl pl sv da nb fi cs sk hu ro el bg hr sl sr et lv lt tr uk ru ja zh zh-Hant ko ar he fa hi th vi id ms ca eu gl is ga sq mk bs ka hy az kk uz ' +
  'bn ta te ur sw am km my mn ne'
).split(' ');

/**
 * A country as ISO 3166-1 alpha-2, from any of its codes or from its name in English, its own or another large language.
 */
export function readCountry(value: unknown, path: string, notes: Notes): string | null {
  if (isAbsent(value)) return null;
  const text = typeof value === 'number' ? String(value).padStart(3, '0') : typeof value === 'string' ? withoutInvisible(value) : '';
  const country = text === '' || text.length > 100 ? null : (byCode(text) ?? byName(text));
  if (country === null) note(notes, path, text === '' && typeof value === 'string' ? 'is empty: left out' : 'is no country: left out');
  return country;
}

function byCode(text: string): string | null {
  const code = text.replaceAll('.', '').toUpperCase();
  if (code.length === 2) return reserved[code] ?? (alpha2.has(code) ? code : null);
  if (code.length !== 3) return null;
  return byAlpha3.get(code) ?? numeric(asciiDigits(code));
}

function numeric(code: string): string | null {
  if (!/^\d{3}$/.test(code)) return null;
  // ICU turns the numbers of countries into letters and leaves those of continents.
  const region = new Intl.Locale(`und-${code}`).region ?? '';
  return alpha2.has(region) ? region : null;
}

const names = new Map(Object.entries(otherNames));
let languagesRead = 0;

/** The languages' names are read one by one, as far as they are needed: all together take a third of a second. */
function byName(text: string): string | null {
  const name = normalName(text);
  if (name.length < 2) return null;
  for (;;) {
    const found = names.get(name);
    if (found !== undefined) return found;
    const language = languages[languagesRead];
    if (language === undefined) return null;
    languagesRead += 1;
    const display = new Intl.DisplayNames([language], { type: 'region', fallback: 'none' });
    for (const code of alpha2) {
      const known = normalName(display.of(code) ?? '');
      // Where two countries share a name, the first language that has it decides.
      if (known !== '' && !names.has(known)) names.set(known, code);
    }
  }
}

function normalName(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f'\u2019.]/g, '')
    .toLowerCase()
    .replace(/&/g, ' and ')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim()
    .replace(/^the /, '');
}

/** A state or province, as its code or its name; time zones are found by either. */
export function readRegion(value: unknown, path: string, notes: Notes): string | null {
  return readText(value, path, notes, 64);
}
