// What every view of a policy text has in common: looks, JSON, the nonce of the page.
import { json } from '@codemirror/lang-json'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import type { Extension } from '@codemirror/state'
import { EditorState } from '@codemirror/state'
import { EditorView, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--color-accent)' },
  { tag: tags.string, color: 'var(--color-ok)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--color-warn)' },
  { tag: [tags.separator, tags.punctuation, tags.bracket], color: 'var(--color-muted)' },
])

const look = EditorView.theme({
  '&': { backgroundColor: 'var(--color-surface)', color: 'var(--color-ink)', height: '100%', fontSize: '0.8125rem' },
  '&.cm-focused': { outline: '2px solid var(--color-accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--color-ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--color-ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'var(--color-accent-soft)',
  },
  '.cm-gutters': { backgroundColor: 'var(--color-sunken)', color: 'var(--color-muted)', borderRight: '1px solid var(--color-line)' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--color-sunken) 55%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--color-accent-soft)', color: 'var(--color-ink)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--color-accent-soft)', outline: '1px solid var(--color-line-strong)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--color-surface)',
    color: 'var(--color-ink)',
    border: '1px solid var(--color-line-strong)',
    borderRadius: '6px',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--font-mono)', maxHeight: '16rem' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--color-accent)', color: 'var(--color-on-accent)' },
  '.cm-completionDetail': { fontStyle: 'normal', color: 'var(--color-muted)' },
  'li[aria-selected] .cm-completionDetail': { color: 'inherit' },
  '.cm-tooltip.cm-completionInfo': { padding: '6px 10px', maxWidth: '22rem', fontFamily: 'var(--font-sans)' },
  '.cm-diagnostic': { padding: '4px 10px', fontFamily: 'var(--font-sans)' },
  '.cm-diagnostic-error': { borderLeft: '4px solid var(--color-danger)' },
  '.cm-diagnostic-warning': { borderLeft: '4px solid var(--color-warn)' },
  // Instead of the library's pictures, which are data: addresses and so refused by the page's policy.
  '.cm-lintRange-error, .cm-lintRange-warning': { backgroundImage: 'none', textDecorationLine: 'underline', textDecorationStyle: 'wavy' },
  '.cm-lintRange-error': { textDecorationColor: 'var(--color-danger)' },
  '.cm-lintRange-warning': { textDecorationColor: 'var(--color-warn)' },
  '.cm-lint-marker': { textAlign: 'center', fontWeight: '700', lineHeight: '1em' },
  '.cm-lint-marker-error, .cm-lint-marker-warning': { content: 'normal' },
  '.cm-lint-marker-error::before': { content: '"✕"', color: 'var(--color-danger)' },
  '.cm-lint-marker-warning::before': { content: '"!"', color: 'var(--color-warn)' },
  '.cm-changedLine, &.cm-merge-b .cm-changedLine, .cm-inlineChangedLine': { backgroundColor: 'var(--color-ok-soft)' },
  '.cm-deletedChunk, &.cm-merge-a .cm-changedLine': { backgroundColor: 'var(--color-danger-soft)' },
  '&.cm-merge-b .cm-changedText, .cm-inlineChangedLine .cm-changedText': {
    background: 'none',
    textDecoration: 'underline 2px var(--color-ok)',
    textUnderlineOffset: '3px',
  },
  '&.cm-merge-a .cm-changedText, &.cm-merge-b .cm-deletedChunk .cm-deletedText, .cm-deletedChunk .cm-deletedText': {
    background: 'none',
    textDecoration: 'underline 2px var(--color-danger)',
    textUnderlineOffset: '3px',
  },
  '& .cm-collapsedLines.cm-collapsedLines': { background: 'var(--color-sunken)', color: 'var(--color-muted)', padding: '4px 8px' },
  '.cm-collapsedLines::before, .cm-collapsedLines::after': { content: 'none' },
})

/** Words of the library that people read, by what it calls them. */
export type Phrases = Readonly<Record<string, string>>

/** What every view of a policy text has. Its own styles carry the nonce, since the page allows no others. */
export const common = (nonce: string | undefined, label: string, phrases: Phrases = {}): Extension => [
  EditorState.phrases.of(phrases),
  lineNumbers(),
  json(),
  syntaxHighlighting(colours),
  look,
  EditorView.lineWrapping,
  EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', tabindex: '0' }),
  ...(nonce === undefined ? [] : [EditorView.cspNonce.of(nonce)]),
]
export const fixed: Extension = [EditorState.readOnly.of(true), EditorView.editable.of(false)]
