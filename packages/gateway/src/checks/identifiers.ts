import type { Finding } from './secret-shapes.ts'

/** Personal identifiers that carry a checksum, so that finding one is no guess. */
export function findIdentifiers(text: string): readonly Finding[] {
  return [...matches(text, IBAN, isIban, 'iban'), ...matches(text, CARD, isCard, 'payment-card')]
}

/** ISO 13616: country, two check digits, 11–30 characters; groups of four may be apart. */
const IBAN = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g
/** ISO/IEC 7812 numbers of payment cards: 14–16 digits; groups may be apart. Longer runs of digits are taken whole, and are none. */
const CARD = /\b\d(?:[ -]?\d){13,31}\b/g

function matches(text: string, pattern: RegExp, isOne: (compact: string) => boolean, kind: string): Finding[] {
  return [...text.matchAll(pattern)].flatMap(({ 0: found, index }) =>
    isOne(found.replace(/[ -]/g, '')) ? [{ start: index, end: index + found.length, kind }] : [],
  )
}

/** ISO 7064 MOD 97-10 over the number with country and check digits behind, letters as 10–35. */
function isIban(iban: string): boolean {
  if (iban.length < 15 || iban.length > 34) return false
  let rest = 0
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

/** Luhn's sum, and a first digit that card schemes use. */
function isCard(digits: string): boolean {
  if (digits.length > 16 || !/^[3-6]|^2[2-7]/.test(digits) || new Set(digits).size < 2) return false
  let sum = 0
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place])
    sum += place % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2
  }
  return sum % 10 === 0
}
