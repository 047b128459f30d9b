import type { Settings } from '../config.ts'

export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'strong'
const CODES: Record<Tone, number> = { good: 32, bad: 31, warn: 33, dim: 2, strong: 1 }

/** Glyphs with the words that stand for them where glyphs cannot be shown or read aloud. */
const GLYPHS = {
  '✓': 'ok',
  '✕': 'x',
  '!': '!',
  '◌': '..',
  '●': '*',
  '○': 'o',
  '◔': '..',
  '⊘': '-',
  '◇': '-',
  '→': '->',
  '·': '-',
  '…': '...',
} as const

/** Colour never carries meaning alone: whatever is toned is a word or a glyph as well. */
export interface Style {
  paint(tone: Tone, text: string): string
  /** Glyphs replaced by words where `POSTERN_ASCII` asks for it. */
  plain(text: string): string
}

export function createStyle({ color, ascii }: Pick<Settings, 'color' | 'ascii'>): Style {
  const pattern = new RegExp(`[${Object.keys(GLYPHS).join('')}]`, 'gu')
  return {
    paint: (tone, text) => (color ? `\u001b[${CODES[tone]}m${text}\u001b[0m` : text),
    plain: (text) => (ascii ? text.replace(pattern, (glyph) => GLYPHS[glyph as keyof typeof GLYPHS]) : text),
  }
}
