/**
 * The time zones of states and provinces, for every country whose clocks differ, and for territories that a shop may write as a
 * region of the country that they belong to. A line: zones, those where most people live first, a colon, then regions as
 * `CODE Name/Other name`, separated by semicolons. A code may have a second form (`CMX,DF`). A region that is split between
 * zones names all of them.
 * Source: IANA time zone database 2025c, zone1970.tab and the comments of its data files; ISO 3166-2; Shopify's province codes
 */
const table: Readonly<Record<string, string>> = {
  AU: `
    Australia/Sydney: ACT Australian Capital Territory/Canberra; JBT Jervis Bay Territory
    Australia/Sydney Australia/Broken_Hill Australia/Lord_Howe: NSW New South Wales
    Australia/Melbourne: VIC Victoria
    Australia/Brisbane Australia/Lindeman: QLD Queensland
    Australia/Adelaide: SA South Australia
    Australia/Perth Australia/Eucla: WA Western Australia
    Australia/Hobart Antarctica/Macquarie: TAS Tasmania
    Australia/Darwin: NT Northern Territory
    Pacific/Norfolk: NF Norfolk Island
    Indian/Christmas: CX Christmas Island
    Indian/Cocos: CC Cocos Islands/Cocos Keeling Islands`,
  BR: `
    America/Sao_Paulo: DF Distrito Federal/Federal District/Brasília; ES Espírito Santo; GO Goiás; MG Minas Gerais; PR Paraná;
      RJ Rio de Janeiro; RS Rio Grande do Sul; SC Santa Catarina; SP São Paulo
    America/Bahia: BA Bahia
    America/Fortaleza: CE Ceará; MA Maranhão; PB Paraíba; PI Piauí; RN Rio Grande do Norte
    America/Recife America/Noronha: PE Pernambuco
    America/Noronha: FN Fernando de Noronha
    America/Maceio: AL Alagoas; SE Sergipe
    America/Belem America/Santarem: PA Pará
    America/Belem: AP Amapá
    America/Araguaina: TO Tocantins
    America/Cuiaba: MT Mato Grosso
    America/Campo_Grande: MS Mato Grosso do Sul
    America/Porto_Velho: RO Rondônia
    America/Boa_Vista: RR Roraima
    America/Manaus America/Eirunepe: AM Amazonas
    America/Rio_Branco: AC Acre`,
  CA: `
    America/Toronto America/Winnipeg America/Atikokan: ON Ontario
    America/Toronto America/Halifax America/Blanc-Sablon: QC,PQ Quebec/Québec
    America/Vancouver America/Edmonton America/Dawson_Creek America/Fort_Nelson America/Creston: BC British Columbia/Colombie-Britannique
    America/Edmonton: AB Alberta
    America/Winnipeg: MB Manitoba
    America/Regina America/Swift_Current America/Edmonton: SK Saskatchewan
    America/Halifax America/Glace_Bay: NS Nova Scotia/Nouvelle-Écosse
    America/Moncton: NB New Brunswick/Nouveau-Brunswick
    America/Halifax: PE,PEI Prince Edward Island/Île-du-Prince-Édouard
    America/St_Johns America/Goose_Bay: NL,NF Newfoundland and Labrador/Terre-Neuve-et-Labrador/Newfoundland/Labrador/Terre-Neuve
    America/Whitehorse America/Dawson: YT,YK Yukon/Yukon Territory/Territoire du Yukon
    America/Edmonton America/Inuvik: NT,NWT Northwest Territories/Territoires du Nord-Ouest
    America/Iqaluit America/Rankin_Inlet America/Cambridge_Bay America/Resolute America/Atikokan: NU Nunavut`,
  CD: `
    Africa/Kinshasa: BC Kongo Central/Bas-Congo; EQ Équateur; KG Kwango; KL Kwilu; KN Kinshasa; MN Mai-Ndombe; MO Mongala;
      NU Nord-Ubangi/North Ubangi; SU Sud-Ubangi/South Ubangi; TU Tshuapa
    Africa/Lubumbashi: BU Bas-Uélé; HK Haut-Katanga/Katanga; HL Haut-Lomami; HU Haut-Uélé; IT Ituri; KC Kasaï Central; KE Kasaï Oriental;
      KS Kasaï; LO Lomami; LU Lualaba; MA Maniema; NK Nord-Kivu/North Kivu; SA Sankuru; SK Sud-Kivu/South Kivu; TA Tanganyika/Tanganika;
      TO Tshopo`,
  CL: `
    America/Santiago: AN Antofagasta; AP Arica y Parinacota; AR La Araucanía/Araucanía; AT Atacama; BI Biobío/Bío Bío; CO Coquimbo;
      LI Libertador General Bernardo O'Higgins/O'Higgins; LL Los Lagos; LR Los Ríos; ML Maule; NB Ñuble;
      RM Región Metropolitana de Santiago/Metropolitana/Santiago/Santiago Metropolitan; TA Tarapacá
    America/Santiago Pacific/Easter: VS Valparaíso
    Pacific/Easter: IP Isla de Pascua/Easter Island/Rapa Nui
    America/Punta_Arenas: MA Magallanes/Magallanes y de la Antártica Chilena/Magallanes y Antártica Chilena;
      AI Aysén/Aisén/Aysén del General Carlos Ibáñez del Campo/Aisén del General Carlos Ibáñez del Campo`,
  CN: `
    Asia/Shanghai: AH Anhui/安徽; BJ Beijing/Peking/北京; CQ Chongqing/重庆; FJ Fujian/福建; GD Guangdong/Canton/广东; GS Gansu/甘肃;
      GX Guangxi/Guangxi Zhuang/Guangxi Zhuangzu/广西; GZ Guizhou/贵州; HA Henan/河南; HB Hubei/湖北; HE Hebei/河北; HI Hainan/海南;
      HL Heilongjiang/黑龙江; HN Hunan/湖南; JL Jilin/吉林; JS Jiangsu/江苏; JX Jiangxi/江西; LN Liaoning/辽宁;
      NM Inner Mongolia/Nei Mongol/Neimenggu/内蒙古; NX Ningxia/Ningxia Hui/Ningxia Huizu/宁夏; QH Qinghai/青海; SC Sichuan/四川; SD Shandong/山东;
      SH Shanghai/上海; SN Shaanxi/陕西; SX Shanxi/山西; TJ Tianjin/天津; XZ,YZ Tibet/Xizang/西藏; YN Yunnan/云南; ZJ Zhejiang/浙江
    Asia/Shanghai Asia/Urumqi: XJ Xinjiang/Xinjiang Uygur/Xinjiang Uyghur/Sinkiang/新疆
    Asia/Hong_Kong: HK Hong Kong/香港
    Asia/Macau: MO Macao/Macau/澳门
    Asia/Taipei: TW Taiwan/台湾`,
  DK: `
    America/Nuuk America/Thule America/Scoresbysund America/Danmarkshavn: GL Greenland/Grønland/Kalaallit Nunaat
    Atlantic/Faroe: FO Faroe Islands/Færøerne/Føroyar`,
  EC: `
    America/Guayaquil: A Azuay; B Bolívar; C Carchi; D Orellana; E Esmeraldas; F Cañar; G Guayas; H Chimborazo; I Imbabura; L Loja;
      M Manabí; N Napo; O El Oro; P Pichincha; R Los Ríos; S Morona Santiago; SD Santo Domingo de los Tsáchilas; SE Santa Elena;
      T Tungurahua; U Sucumbíos; X Cotopaxi; Y Pastaza; Z Zamora Chinchipe
    Pacific/Galapagos: W Galápagos/Islas Galápagos/Galapagos Islands`,
  ES: `
    Europe/Madrid: A Alicante/Alacant; AB Albacete; AL Almería; AN Andalucía/Andalusia; AR Aragón/Aragon/Aragó; AV Ávila; B Barcelona;
      BA Badajoz; BI Bizkaia/Vizcaya/Biscay/Biscaia; BU Burgos; C A Coruña/La Coruña; CA Cádiz/Cadis; CC Cáceres; CB Cantabria;
      CL Castilla y León/Castile and León/Castella i Lleó; CM Castilla-La Mancha/Castile-La Mancha/Castella-la Manxa; CO Córdoba;
      CR Ciudad Real; CS Castellón/Castelló; CT Cataluña/Catalunya/Catalonia; CU Cuenca/Conca; EX Extremadura; GA Galicia;
      GI Girona/Gerona; GR Granada; GU Guadalajara; H Huelva; HU Huesca;
      IB Islas Baleares/Illes Balears/Balearic Islands/Baleares/Balears; J Jaén; L Lleida/Lérida; LE León; LO La Rioja; LU Lugo; M Madrid;
      MA Málaga; MC Región de Murcia; MD Comunidad de Madrid; MU Murcia; NA Navarra/Navarre/Nafarroa; NC Comunidad Foral de Navarra;
      O Asturias/Oviedo; AS Principado de Asturias/Astúries; OR Ourense/Orense; P Palencia; PM Mallorca/Majorca; PO Pontevedra;
      PV País Vasco/Euskadi/Basque Country; RI Rioja; S Santander; SA Salamanca; SE Sevilla/Seville; SG Segovia; SO Soria;
      SS Gipuzkoa/Guipúzcoa; T Tarragona; TE Teruel; TO Toledo; V Valencia/València; VA Valladolid;
      VC Comunidad Valenciana/Comunitat Valenciana; VI Álava/Araba; Z Zaragoza/Saragossa; ZA Zamora
    Africa/Ceuta: CE Ceuta; ML Melilla
    Atlantic/Canary: CN Canarias/Islas Canarias/Canary Islands/Canàries; GC Las Palmas; TF Santa Cruz de Tenerife/Tenerife`,
  FM: `
    Pacific/Chuuk: TRK Chuuk/Truk; YAP Yap
    Pacific/Pohnpei: PNI Pohnpei/Ponape
    Pacific/Kosrae: KSA Kosrae`,
  FR: `
    Indian/Reunion: RE,974 La Réunion/Réunion
    America/Guadeloupe: GP,971 Guadeloupe
    America/Martinique: MQ,972 Martinique
    America/Cayenne: GF,973 Guyane/Guyane française/French Guiana
    America/Miquelon: PM,975 Saint-Pierre-et-Miquelon/Saint Pierre and Miquelon
    Indian/Mayotte: YT,976 Mayotte
    America/St_Barthelemy: BL,977 Saint-Barthélemy
    America/Marigot: MF,978 Saint-Martin
    Indian/Kerguelen Asia/Dubai: TF,984 Terres australes et antarctiques françaises/French Southern Territories
    Pacific/Wallis: WF,986 Wallis-et-Futuna/Wallis and Futuna
    Pacific/Tahiti Pacific/Marquesas Pacific/Gambier: PF,987 Polynésie française/French Polynesia
    Pacific/Noumea: NC,988 Nouvelle-Calédonie/New Caledonia`,
  GL: `
    America/Nuuk: KU Kujalleq; QE Qeqqata; QT Qeqertalik
    America/Nuuk America/Scoresbysund: SM Sermersooq/Kommuneqarfik Sermersooq
    America/Nuuk America/Thule: AV Avannaata`,
  ID: `
    Asia/Jakarta: AC Aceh; BB Kepulauan Bangka Belitung/Bangka Belitung/Bangka Belitung Islands; BE Bengkulu; BT Banten; JA Jambi;
      JB Jawa Barat/West Java; JI Jawa Timur/East Java; JK Jakarta/DKI Jakarta/Jakarta Raya/Daerah Khusus Ibukota Jakarta;
      JT Jawa Tengah/Central Java; JW Jawa/Java; KR Kepulauan Riau/Riau Islands; LA Lampung; RI Riau; SB Sumatera Barat/West Sumatra;
      SM Sumatera/Sumatra; SS Sumatera Selatan/South Sumatra; SU Sumatera Utara/North Sumatra; YO Yogyakarta/Daerah Istimewa Yogyakarta
    Asia/Pontianak: KB Kalimantan Barat/West Kalimantan; KT Kalimantan Tengah/Central Kalimantan
    Asia/Makassar: BA Bali; GO Gorontalo; KI Kalimantan Timur/East Kalimantan; KS Kalimantan Selatan/South Kalimantan;
      KU Kalimantan Utara/North Kalimantan; NB Nusa Tenggara Barat/West Nusa Tenggara; NT Nusa Tenggara Timur/East Nusa Tenggara;
      NU Nusa Tenggara/Lesser Sunda Islands; SA Sulawesi Utara/North Sulawesi; SG Sulawesi Tenggara/Southeast Sulawesi;
      SL Sulawesi/Celebes; SN Sulawesi Selatan/South Sulawesi; SR Sulawesi Barat/West Sulawesi; ST Sulawesi Tengah/Central Sulawesi
    Asia/Makassar Asia/Pontianak: KA Kalimantan
    Asia/Jayapura: MA Maluku/Moluccas; ML Kepulauan Maluku; MU Maluku Utara/North Maluku; PA Papua; PB Papua Barat/West Papua;
      PD Papua Barat Daya/Southwest Papua; PE Papua Pegunungan/Highland Papua; PP Papua; PS Papua Selatan/South Papua;
      PT Papua Tengah/Central Papua`,
  KI: `
    Pacific/Tarawa: G Gilbert Islands
    Pacific/Kiritimati: L Line Islands
    Pacific/Kanton: P Phoenix Islands`,
  MN: `
    Asia/Hovd: 043 Hovd/Khovd; 046 Uvs; 071 Bayan-Ölgii/Bayan-Ölgiy
    Asia/Ulaanbaatar: 035 Orhon/Orkhon; 037 Darhan uul/Darkhan-Uul; 039 Hentiy/Khentii; 041 Hövsgöl/Khövsgöl; 047 Töv; 049 Selenge;
      051 Sühbaatar/Sükhbaatar; 053 Ömnögovĭ/Ömnögovi; 055 Övörhangay/Övörkhangai; 057 Dzavhan/Zavkhan; 059 Dundgovĭ/Dundgovi; 061 Dornod;
      063 Dornogovĭ/Dornogovi; 064 Govĭ-Sümber/Govisümber; 065 Govĭ-Altay/Govi-Altai; 067 Bulgan; 069 Bayanhongor/Bayankhongor;
      073 Arhangay/Arkhangai; 1 Ulaanbaatar/Ulan Bator`,
  MX: `
    America/Mexico_City: AGU,AGS Aguascalientes; CHP,CHIS Chiapas; CMX,DF,CDMX Ciudad de México/Mexico City/Distrito Federal; COL Colima;
      GRO Guerrero; GUA,GTO Guanajuato; HID,HGO Hidalgo; JAL Jalisco; MEX,EDOMEX México; MIC,MICH Michoacán/Michoacán de Ocampo;
      MOR Morelos; OAX Oaxaca; PUE Puebla; QUE,QRO Querétaro; SLP San Luis Potosí; TAB Tabasco; TLA,TLAX Tlaxcala;
      VER Veracruz/Veracruz de Ignacio de la Llave; ZAC Zacatecas
    America/Monterrey: DUR,DGO Durango
    America/Monterrey America/Matamoros: COA,COAH Coahuila/Coahuila de Zaragoza; NLE,NL Nuevo León; TAM,TAMPS Tamaulipas
    America/Merida: CAM,CAMP Campeche; YUC Yucatán
    America/Cancun: ROO,QROO,QR Quintana Roo
    America/Ciudad_Juarez America/Chihuahua America/Ojinaga: CHH,CHIH Chihuahua
    America/Mazatlan: BCS Baja California Sur; SIN Sinaloa
    America/Mazatlan America/Bahia_Banderas: NAY Nayarit
    America/Hermosillo: SON Sonora
    America/Tijuana: BCN,BC Baja California/Baja California Norte`,
  NL: `
    America/Aruba: AW Aruba
    America/Curacao: CW Curaçao
    America/Lower_Princes: SX Sint Maarten
    America/Kralendijk: BQ,BQ1,BQ2,BQ3 Bonaire/Saba/Sint Eustatius/Caribisch Nederland/Caribbean Netherlands`,
  NZ: `
    Pacific/Auckland: AUK Auckland/Tāmaki-makaurau; BOP Bay of Plenty; CAN Canterbury/Waitaha; GIS Gisborne; HKB Hawke's Bay;
      MBH Marlborough; MWT Manawatu-Wanganui/Manawatū-Whanganui; NSN Nelson; NTL Northland; OTA Otago; STL Southland; TAS Tasman;
      TKI Taranaki; WGN Wellington/Greater Wellington; WKO Waikato; WTC West Coast
    Pacific/Chatham: CIT Chatham Islands/Chatham Islands Territory`,
  PF: `
    Pacific/Tahiti: W Windward Islands/Îles du Vent/Tahiti; L Leeward Islands/Îles Sous-le-Vent;
      A Austral Islands/Îles Australes/Australes
    Pacific/Marquesas: M Marquesas Islands/Îles Marquises/Marquises/Marquesas
    Pacific/Tahiti Pacific/Gambier: TG Tuamotu-Gambier/Îles Tuamotu-Gambier/Tuamotu and Gambier Islands
    Pacific/Gambier: G Gambier Islands/Îles Gambier/Gambier`,
  PG: `
    Pacific/Port_Moresby: CPK Chimbu/Simbu; CPM Central; EBR East New Britain; EHG Eastern Highlands; EPW Enga; ESW East Sepik; GPK Gulf;
      HLA Hela; JWK Jiwaka; MBA Milne Bay; MPL Morobe; MPM Madang; MRL Manus; NCD National Capital District/Port Moresby; NIK New Ireland;
      NPP Northern/Oro; SAN West Sepik/Sandaun; SHM Southern Highlands; WBK West New Britain; WHM Western Highlands; WPD Western
    Pacific/Bougainville: NSB Bougainville/North Solomons/Bougainville Island`,
  PT: `
    Europe/Lisbon: 01 Aveiro; 02 Beja; 03 Braga; 04 Bragança; 05 Castelo Branco; 06 Coimbra/Centro; 07 Évora/Alentejo; 08 Faro/Algarve;
      09 Guarda; 10 Leiria; 11 Lisboa/Lisbon; 12 Portalegre; 13 Porto/Oporto/Norte; 14 Santarém; 15 Setúbal; 16 Viana do Castelo;
      17 Vila Real; 18 Viseu
    Atlantic/Azores: 20 Açores/Azores/Região Autónoma dos Açores
    Atlantic/Madeira: 30 Madeira/Região Autónoma da Madeira`,
  RU: `
    Europe/Kaliningrad: KGD Kaliningrad/Kaliningradskaya/Калининградская
    Europe/Moscow: AD Adygea/Adygeya/Адыгея; ARK Arkhangelsk/Arkhangelskaya/Архангельская; BEL Belgorod/Belgorodskaya/Белгородская;
      BRY Bryansk/Bryanskaya/Брянская; CE Chechnya/Chechenskaya/Чечня/Чеченская; CU Chuvashia/Chuvashskaya/Чувашия/Чувашская;
      DA Dagestan/Дагестан; IN Ingushetia/Ingushetiya/Ингушетия; IVA Ivanovo/Ivanovskaya/Ивановская;
      KB Kabardino-Balkaria/Kabardino-Balkarskaya/Кабардино-Балкария/Кабардино-Балкарская;
      KC Karachay-Cherkessia/Karachayevo-Cherkesskaya/Карачаево-Черкесия/Карачаево-Черкесская; KDA Krasnodar/Krasnodarskiy/Краснодарский;
      KL Kalmykia/Kalmykiya/Калмыкия; KLU Kaluga/Kaluzhskaya/Калужская; KO Komi/Коми; KOS Kostroma/Kostromskaya/Костромская;
      KR Karelia/Kareliya/Карелия; KRS Kursk/Kurskaya/Курская; LEN Leningrad/Leningradskaya/Ленинградская;
      LIP Lipetsk/Lipetskaya/Липецкая; ME Mari El/Mariy El/Марий Эл; MO Mordovia/Mordoviya/Мордовия;
      MOS Moscow Oblast/Moskovskaya/Московская; MOW Moscow/Moskva/Москва; MUR Murmansk/Murmanskaya/Мурманская;
      NEN Nenets/Nenetskiy/Ненецкий; NGR Novgorod/Novgorodskaya/Новгородская; NIZ Nizhny Novgorod/Nizhegorodskaya/Нижегородская;
      ORL Oryol/Orlovskaya/Орловская; PNZ Penza/Penzenskaya/Пензенская; PSK Pskov/Pskovskaya/Псковская; ROS Rostov/Rostovskaya/Ростовская;
      RYA Ryazan/Ryazanskaya/Рязанская; SE North Ossetia/North Ossetia-Alania/Severnaya Osetiya/Северная Осетия/Северная Осетия-Алания;
      SMO Smolensk/Smolenskaya/Смоленская; SPE Saint Petersburg/St Petersburg/Sankt-Peterburg/Санкт-Петербург;
      STA Stavropol/Stavropolskiy/Ставропольский; TA Tatarstan/Татарстан; TAM Tambov/Tambovskaya/Тамбовская; TUL Tula/Tulskaya/Тульская;
      TVE Tver/Tverskaya/Тверская; VLA Vladimir/Vladimirskaya/Владимирская; VLG Vologda/Vologodskaya/Вологодская;
      VOR Voronezh/Voronezhskaya/Воронежская; YAR Yaroslavl/Yaroslavskaya/Ярославская
    Europe/Volgograd: VGG Volgograd/Volgogradskaya/Волгоградская
    Europe/Kirov: KIR Kirov/Kirovskaya/Кировская
    Europe/Simferopol: CR Crimea/Krym/Крым; SEV Sevastopol/Севастополь
    Europe/Samara: SAM Samara/Samarskaya/Самарская; UD Udmurtia/Udmurtskaya/Удмуртия/Удмуртская/Udmurtiya
    Europe/Saratov: SAR Saratov/Saratovskaya/Саратовская
    Europe/Astrakhan: AST Astrakhan/Astrakhanskaya/Астраханская
    Europe/Ulyanovsk: ULY Ulyanovsk/Ulyanovskaya/Ульяновская
    Asia/Yekaterinburg: BA Bashkortostan/Bashkiria/Башкортостан; CHE Chelyabinsk/Chelyabinskaya/Челябинская;
      KGN Kurgan/Kurganskaya/Курганская;
      KHM Khanty-Mansi/Khanty-Mansiyskiy/Yugra/Ханты-Мансийский/Ханты-Мансийский автономный округ - Югра/Khanty-Mansia;
      ORE Orenburg/Orenburgskaya/Оренбургская; PER Perm/Permskiy/Пермский; SVE Sverdlovsk/Sverdlovskaya/Свердловская;
      TYU Tyumen/Tyumenskaya/Тюменская; YAN Yamalo-Nenets/Yamalo-Nenetskiy/Ямало-Ненецкий
    Asia/Omsk: OMS Omsk/Omskaya/Омская
    Asia/Novosibirsk: NVS Novosibirsk/Novosibirskaya/Новосибирская
    Asia/Barnaul: AL Altai Republic/Altay Respublika/Республика Алтай; ALT Altai Krai/Altayskiy/Алтайский
    Asia/Tomsk: TOM Tomsk/Tomskaya/Томская
    Asia/Novokuznetsk: KEM Kemerovo/Kemerovskaya/Kuzbass/Кемеровская/Кузбасс
    Asia/Krasnoyarsk: KK Khakassia/Khakasiya/Хакасия; KYA Krasnoyarsk/Krasnoyarskiy/Красноярский; TY Tuva/Tyva/Тыва/Тува
    Asia/Irkutsk: BU Buryatia/Buryatiya/Бурятия; IRK Irkutsk/Irkutskaya/Иркутская
    Asia/Chita: ZAB Zabaykalsky/Zabaykalskiy/Transbaikal/Забайкальский
    Asia/Yakutsk: AMU Amur/Amurskaya/Амурская
    Asia/Yakutsk Asia/Vladivostok Asia/Khandyga Asia/Ust-Nera Asia/Srednekolymsk:
      SA Sakha/Yakutia/Sakha Yakutia/Саха/Саха Якутия/Якутия/Saha
    Asia/Vladivostok: KHA Khabarovsk/Khabarovskiy/Хабаровский; PRI Primorsky/Primorskiy/Primorye/Приморский;
      YEV Jewish Autonomous Oblast/Yevreyskaya/Еврейская/Yevreyskaya avtonomnaya
    Asia/Sakhalin Asia/Srednekolymsk: SAK Sakhalin/Sakhalinskaya/Сахалинская
    Asia/Magadan: MAG Magadan/Magadanskaya/Магаданская
    Asia/Kamchatka: KAM Kamchatka/Kamchatskiy/Камчатский
    Asia/Anadyr: CHU Chukotka/Chukotskiy/Чукотский`,
  UA: `
    Europe/Kyiv: 05 Vinnytsia/Vinnytska/Вінницька/Винницкая; 07 Volyn/Volynska/Волинська/Волынская;
      09 Luhansk/Luhanska/Луганська/Луганская; 12 Dnipropetrovsk/Dnipropetrovska/Дніпропетровська/Днепропетровская;
      14 Donetsk/Donetska/Донецька/Донецкая; 18 Zhytomyr/Zhytomyrska/Житомирська/Житомирская;
      21 Zakarpattia/Zakarpatska/Закарпатська/Закарпатская; 23 Zaporizhzhia/Zaporizka/Запорізька/Запорожская;
      26 Ivano-Frankivsk/Ivano-Frankivska/Івано-Франківська/Ивано-Франковская; 30 Kyiv/Kiev/Київ/Киев;
      32 Kyiv Oblast/Kyivska/Київська/Киевская; 35 Kirovohrad/Kirovohradska/Кіровоградська/Кировоградская;
      46 Lviv/Lvivska/Львівська/Львовская; 48 Mykolaiv/Mykolaivska/Миколаївська; 51 Odesa/Odessa/Odeska/Одеська/Одесская;
      53 Poltava/Poltavska/Полтавська/Полтавская; 56 Rivne/Rivnenska/Рівненська/Ровненская; 59 Sumy/Sumska/Сумська/Сумская;
      61 Ternopil/Ternopilska/Тернопільська/Тернопольская; 63 Kharkiv/Kharkivska/Харківська/Харьковская;
      65 Kherson/Khersonska/Херсонська/Херсонская; 68 Khmelnytskyi/Khmelnytska/Хмельницька/Хмельницкая;
      71 Cherkasy/Cherkaska/Черкаська/Черкасская; 74 Chernihiv/Chernihivska/Чернігівська/Черниговская;
      77 Chernivtsi/Chernivetska/Чернівецька/Черновицкая
    Europe/Simferopol: 40 Sevastopol/Севастополь;
      43 Crimea/Krym/Avtonomna Respublika Krym/Крим/Автономна Республіка Крим/Крым/Автономная Республика Крым`,
  UM: `
    Pacific/Wake: 79 Wake Island
    Pacific/Midway: 71 Midway Islands/Midway Atoll`,
  US: `
    America/New_York: CT Connecticut/Conn; DC District of Columbia/Washington DC/Distrito de Columbia; DE Delaware/Del; GA Georgia;
      MA Massachusetts/Mass; MD Maryland; ME Maine; NC North Carolina/Carolina del Norte; NH New Hampshire/Nuevo Hampshire;
      NJ New Jersey/Nueva Jersey; NY New York/New York City/NYC/Nueva York; OH Ohio; PA Pennsylvania/Penn/Penna/Pensilvania;
      RI Rhode Island; SC South Carolina/Carolina del Sur; VA Virginia; VT Vermont; WV West Virginia/Virginia Occidental
    America/New_York America/Chicago: FL Florida/Fla
    America/Detroit America/Chicago: MI Michigan/Mich
    America/Indiana/Indianapolis America/Chicago: IN Indiana/Ind
    America/New_York America/Kentucky/Louisville America/Chicago: KY Kentucky
    America/Chicago America/New_York: TN Tennessee/Tenn
    America/Chicago: AL Alabama/Ala; AR Arkansas/Ark; IA Iowa; IL Illinois/Ill; LA Louisiana/Luisiana; MN Minnesota/Minn; MO Missouri;
      MS Mississippi/Miss/Misisipi; OK Oklahoma/Okla; WI Wisconsin/Wis/Wisc
    America/Chicago America/Denver: KS Kansas/Kan/Kans; ND North Dakota/Dakota del Norte; NE Nebraska/Nebr/Neb;
      SD South Dakota/Dakota del Sur; TX Texas/Tex
    America/Denver: CO Colorado/Colo; MT Montana/Mont; NM New Mexico/Nuevo México; UT Utah; WY Wyoming/Wyo
    America/Phoenix America/Denver: AZ Arizona/Ariz
    America/Boise America/Los_Angeles: ID Idaho
    America/Los_Angeles America/Boise: OR Oregon/Ore
    America/Los_Angeles America/Denver America/Boise: NV Nevada/Nev
    America/Los_Angeles: CA California/Calif; WA Washington/Wash
    America/Anchorage America/Adak: AK Alaska
    Pacific/Honolulu: HI Hawaii/Hawaiʻi/Hawái
    America/Puerto_Rico: PR Puerto Rico
    America/St_Thomas: VI US Virgin Islands/Virgin Islands
    Pacific/Guam: GU Guam
    Pacific/Saipan: MP Northern Mariana Islands
    Pacific/Pago_Pago: AS American Samoa/Samoa Americana
    Pacific/Wake Pacific/Midway: UM United States Minor Outlying Islands
    Pacific/Palau: PW Palau
    Pacific/Majuro Pacific/Kwajalein: MH Marshall Islands
    Pacific/Chuuk Pacific/Pohnpei Pacific/Kosrae: FM Micronesia
    America/New_York America/Puerto_Rico America/Bogota America/Tegucigalpa: AA Armed Forces Americas
    Europe/Berlin Europe/London Europe/Istanbul Asia/Bahrain Asia/Dubai Africa/Djibouti: AE Armed Forces Europe/Armed Forces
    Asia/Tokyo Asia/Seoul Pacific/Guam Asia/Singapore Australia/Darwin: AP Armed Forces Pacific`,
};

interface Regions {
  byCode: ReadonlyMap<string, readonly string[]>;
  /** Two regions may share a name: the zones of both. */
  byName: ReadonlyMap<string, readonly string[]>;
  /** The first code of each region, by its codes and its plain names. */
  codes: ReadonlyMap<string, string>;
}

/**
 * The zones of a state or a province as shops write it: an ISO 3166-2 code with or without its country (`CA`, `US-CA`), Shopify's
 * code, or a name in English or the country's own language, in any case, with or without accents and words such as "State of".
 * @param country - ISO 3166-1 alpha-2
 * @returns empty where it is not understood, or where the country has one clock and the text names none of its territories
 */
export function zonesOfRegion(country: string, region: string): readonly string[] {
  const code = country.trim().toUpperCase();
  const regions = regionsOf(code);
  if (regions === null || region.length > 200) return [];
  const whole = find(regions, code, region);
  if (whole !== null) return whole;
  // "New York, NY", "Illes Balears / Islas Baleares", "Lleida [Lérida]"
  return [...new Set(region.split(/[,;/|()[\]]/).flatMap((part) => find(regions, code, part) ?? []))];
}

/** The code of a state or a province of a country, without the country; null: it is not understood, or names several. */
export function codeOfRegion(country: string, region: string): string | null {
  const regions = regionsOf(country.trim().toUpperCase());
  if (regions === null || region.length > 200) return null;
  const codeOf = (text: string): string | null => {
    const upper = text.trim().toUpperCase();
    const suffix = upper.startsWith(country) ? upper.slice(country.length).replace(/^[\s._:-]+/, '') : upper;
    return regions.codes.get(plainCode(upper)) ?? regions.codes.get(plainCode(suffix)) ?? regions.codes.get(plainName(text)) ?? null;
  };
  const whole = codeOf(region);
  if (whole !== null) return whole;
  const parts = new Set(region.split(/[,;/|()[\]]/).flatMap((part) => codeOf(part) ?? []));
  const [only] = parts;
  return parts.size === 1 && only !== undefined ? only : null;
}

/** The country that an ISO 3166-2 code such as `US-CA` names; null: it is none, or of a country with one clock. */
export function countryOfRegion(region: string): string | null {
  const code = /^\s*([a-z]{2})-[a-z0-9]{1,3}\s*$/i.exec(region)?.[1]?.toUpperCase();
  return code === undefined || zonesOfRegion(code, region).length === 0 ? null : code;
}

function find({ byCode, byName }: Regions, country: string, text: string): readonly string[] | null {
  const upper = text.trim().toUpperCase();
  const suffix = upper.startsWith(country) ? upper.slice(country.length).replace(/^[\s._:-]+/, '') : upper;
  return byCode.get(plainCode(upper)) ?? byCode.get(plainCode(suffix)) ?? byName.get(plainName(text)) ?? null;
}

const read = new Map<string, Regions | null>();

function regionsOf(country: string): Regions | null {
  const known = read.get(country);
  if (known !== undefined) return known;
  if (!Object.hasOwn(table, country)) return null;
  const regions = readTable(table[country] ?? '');
  read.set(country, regions);
  return regions;
}

function readTable(text: string): Regions {
  const byCode = new Map<string, readonly string[]>();
  const byName = new Map<string, readonly string[]>();
  const known = new Map<string, string>();
  // A line that is indented further goes on with the one before.
  for (const line of text.replaceAll(/\n {6}/g, ' ').split('\n')) {
    const [names = '', regions = ''] = line.trim().split(/:\s+/);
    const zones = names.split(' ');
    for (const [, codes = '', own = ''] of regions.matchAll(/([A-Z0-9,]+) ([^;]+)(?:;\s*|$)/g)) {
      for (const code of codes.split(',')) byCode.set(plainCode(code), zones);
      const [first = ''] = codes.split(',');
      for (const spelling of [...codes.split(',').map(plainCode), ...own.split('/').map(plainName)])
        if (!known.has(spelling)) known.set(spelling, first);
      for (const name of own.split('/').map(plainName)) {
        const others = byName.get(name);
        byName.set(name, others === undefined ? zones : [...new Set([...others, ...zones])]);
      }
    }
  }
  return { byCode, byName, codes: known };
}

// "Q ROO" and "01" are "QROO" and "1".
const plainCode = (code: string) => code.replaceAll(/[\s.]/g, '').replace(/^0+(?=\d)/, '');

const kinds = new Set(
  (
    'the of and de del do da dos das du des la le les el los las y e et ' +
    'state province provincia provinsi estado region região regiao región oblast oblasts kray krai respublika republic respublica ' +
    'avtonomnyy okrug autonomous область край республика автономный округ область обл ао sheng shi zizhiqu 省 市 自治区 aimag aymag ' +
    'kommunia kommune comunidad autonoma autónoma department departement departamento sar'
  )
    .split(' ')
    .map((word) => bare(word)),
);

/** One spelling per name: without accents, punctuation, and words that say what kind of region it is. */
function plainName(name: string): string {
  const words = bare(name).split(' ');
  const own = words.filter((word) => !kinds.has(word));
  return (own.length === 0 ? words : own).join(' ').replace(/(?:省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区)$/u, '');
}

function bare(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[\p{M}'’‘ʻ`´".]/gu, '')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
