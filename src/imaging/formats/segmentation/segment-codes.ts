/** A concept of a coding scheme, such as SNOMED CT (SCT). */
export interface Code {
  /** At most 16 characters. */
  readonly value: string;
  readonly scheme: string;
  /** At most 64 characters. */
  readonly meaning: string;
}

/** What a segment is: the kind of thing, the thing, and its side where it has one. */
export interface SegmentCodes {
  readonly category: Code;
  readonly type: Code;
  readonly side?: Code;
}

const sct = (value: string, meaning: string): Code => ({ value, scheme: 'SCT', meaning });

const anatomical = sct('123037004', 'Anatomical Structure');
const altered = sct('49755003', 'Morphologically Altered Structure');
const tissue = sct('85756007', 'Tissue');

/** Names of classes, in lower case and the singular, with words in their order and without sides. */
const organs: ReadonlyMap<string, Code> = new Map([
  ['adrenal gland', sct('23451007', 'Adrenal gland')],
  ['aorta', sct('15825003', 'Aorta')],
  ['bladder', sct('89837001', 'Urinary bladder')],
  ['bone', sct('272673000', 'Bone')],
  ['brain', sct('12738006', 'Brain')],
  ['breast', sct('76752008', 'Breast')],
  ['colon', sct('71854001', 'Colon')],
  ['duodenum', sct('38848004', 'Duodenum')],
  ['esophagus', sct('32849002', 'Esophagus')],
  ['eye', sct('81745001', 'Eye')],
  ['femur', sct('71341001', 'Femur')],
  ['gallbladder', sct('28231008', 'Gallbladder')],
  ['heart', sct('80891009', 'Heart')],
  ['hippocampus', sct('5366008', 'Hippocampus')],
  ['inferior vena cava', sct('64131007', 'Inferior vena cava')],
  ['kidney', sct('64033007', 'Kidney')],
  ['liver', sct('10200004', 'Liver')],
  ['lung', sct('39607008', 'Lung')],
  ['mandible', sct('91609006', 'Mandible')],
  ['oesophagus', sct('32849002', 'Esophagus')],
  ['pancreas', sct('15776009', 'Pancreas')],
  ['parotid gland', sct('45289007', 'Parotid gland')],
  ['portal vein', sct('32764006', 'Portal vein')],
  ['prostate', sct('41216001', 'Prostate')],
  ['rectum', sct('34402009', 'Rectum')],
  ['rib', sct('113197003', 'Rib')],
  ['skin', sct('39937001', 'Skin')],
  ['small bowel', sct('30315005', 'Small intestine')],
  ['small intestine', sct('30315005', 'Small intestine')],
  ['spinal cord', sct('2748008', 'Spinal cord')],
  ['spleen', sct('78961009', 'Spleen')],
  ['stomach', sct('69695003', 'Stomach')],
  ['thyroid', sct('69748006', 'Thyroid')],
  ['thyroid gland', sct('69748006', 'Thyroid')],
  ['trachea', sct('44567001', 'Trachea')],
  ['urinary bladder', sct('89837001', 'Urinary bladder')],
  ['uterus', sct('35039007', 'Uterus')],
  ['vertebra', sct('51282000', 'Vertebra')],
]);

/** What a name holds where it is a change of an organ, such as "liver tumour". */
const changes: readonly (readonly [RegExp, Code])[] = [
  [/\b(tumou?rs?|neoplasms?|cancers?|carcinomas?|metastas[ei]s)\b/, sct('108369006', 'Neoplasm')],
  [/\bnodules?\b/, sct('27925004', 'Nodule')],
  [/\b(o?edema)\b/, sct('79654002', 'Edema')],
  [/\b(necrosis|necrotic)\b/, sct('6574001', 'Necrosis')],
  [/\b(ha?emorrhages?|bleeding)\b/, sct('50960005', 'Hemorrhage')],
  [/\blesions?\b/, sct('52988006', 'Lesion')],
];

const sides: ReadonlyMap<string, Code> = new Map([
  ['left', sct('7771000', 'Left')],
  ['right', sct('24028007', 'Right')],
]);

/** The scheme of names that are in no other: PS3.16 leaves those that begin with 99 to everybody. */
const ownScheme = '99HALOMESH';

/**
 * Codes of a class by its name, any case, with spaces, underscores or dashes: SNOMED CT where it is known, else a code of a private
 * scheme that is derived from the name.
 */
export function codesOf(name: string): SegmentCodes {
  const words = name
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
  const change = changes.find(([form]) => form.test(words.join(' ')))?.[1];
  if (change !== undefined) return { category: altered, type: change };
  const side = words.map((word) => sides.get(word)).find((code) => code !== undefined);
  const plain = words.filter((word) => !sides.has(word)).join(' ');
  const organ =
    organs.get(plain) ?? organs.get(plain.replace(/s$/, '')) ?? organs.get(plain.replace(/e$/, ''));
  if (organ !== undefined) return { category: anatomical, type: organ, ...(side && { side }) };
  return { category: tissue, type: { value: ownValue(name), scheme: ownScheme, meaning: name.slice(0, 64) } };
}

/** A code of the private scheme: 16 characters of the name's hash (FNV-1a of 64 bits), since names may be longer. */
function ownValue(name: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name))
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash.toString(16).toUpperCase().padStart(16, '0');
}
