import { LOSS_NAMES, type LossName } from '../../nn/loss/loss-names.ts';
import { type Parser, refuse } from './parse.ts';

// Values of flags that say what is learnt.

/** `4=3,9=ignore` as values of label maps and what they stand for. */
export function labelMapping(flag: string): Parser<Readonly<Record<string, number | 'ignore'>>> {
  const byte = (word: string): number => (/^\d{1,3}$/.test(word) && Number(word) <= 255 ? Number(word) : -1);
  return (text) => {
    const expected = 'values from 0 to 255 and what they stand for, such as 4=3,9=ignore';
    const found: Record<string, number | 'ignore'> = {};
    for (const part of text.split(',')) {
      const [from, to, ...rest] = part.split('=').map((word) => word.trim());
      const value = byte(from);
      const meaning = to === 'ignore' ? to : byte(to ?? '');
      if (value < 0 || meaning === -1 || rest.length > 0) refuse(flag, 'value', expected, text);
      if (Object.hasOwn(found, `${value}`)) refuse(flag, `${value} is given twice`, 'each value once', text);
      found[`${value}`] = meaning;
    }
    return found;
  };
}

/** `dice+ce` as losses by name, as a config has them. */
export function lossTerms(flag: string): Parser<{ readonly terms: readonly LossName[] }> {
  return (text) => {
    const terms = text.split('+').map((word) => {
      const name = word.trim();
      const found = LOSS_NAMES.find((one) => one === name);
      return found ?? refuse(flag, 'value', `losses of ${LOSS_NAMES.join(', ')}, such as dice+ce`, text);
    });
    if (new Set(terms).size < terms.length) refuse(flag, 'value', 'each loss once', text);
    return { terms };
  };
}
