// The editor itself, in a chunk of its own: only whoever opens a policy text loads it.
import type { CompletionContext, CompletionResult } from '@codemirror/autocomplete'
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { json } from '@codemirror/lang-json'
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from '@codemirror/language'
import type { Diagnostic } from '@codemirror/lint'
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { MergeView, unifiedMergeView } from '@codemirror/merge'
import type { Extension } from '@codemirror/state'
import { EditorState } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import type { KnownNames } from '@postern/core'
import { completePolicy } from '@postern/core'

/** Something to say about a line. Columns as `lintPolicy` counts them. */
export interface Mark {
  readonly line: number
  readonly column?: number
  readonly message: string
  readonly severity: 'error' | 'warning'
}

export interface Editor {
  /** Replaces the text, changing only what differs, so that the cursor stays. */
  setText(text: string): void
  setMarks(marks: readonly Mark[]): void
  goTo(line: number): void
  destroy(): void
}

export interface EditorOptions {
  readonly parent: HTMLElement
  readonly text: string
  readonly label: string
  readonly nonce: string | undefined
  readonly isReadOnly: boolean
  known(): KnownNames | undefined
  onChange(text: string): void
}

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
const common = (nonce: string | undefined, label: string, phrases: Phrases = {}): Extension => [
  EditorState.phrases.of(phrases),
  lineNumbers(),
  json(),
  syntaxHighlighting(colours),
  look,
  EditorView.lineWrapping,
  EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', tabindex: '0' }),
  ...(nonce === undefined ? [] : [EditorView.cspNonce.of(nonce)]),
]
const fixed: Extension = [EditorState.readOnly.of(true), EditorView.editable.of(false)]

export function createEditor({ parent, text, label, nonce, isReadOnly, known, onChange }: EditorOptions): Editor {
  let marks: readonly Mark[] = []
  let isOwnChange = false
  const complete = (context: CompletionContext): CompletionResult | null => {
    const names = known()
    const found = names && completePolicy(context.state.doc.toString(), context.pos, names)
    if (!found || (!context.explicit && found.from === found.to)) return null
    const options = found.options.map(({ label: word, insert, detail, help }) => ({
      label: insert.startsWith('"') ? `"${word}"` : word,
      displayLabel: word,
      apply: insert,
      ...(detail ? { detail } : {}),
      ...(help ? { info: help } : {}),
    }))
    return { from: found.from, to: found.to, options, validFor: /^"?[\w@:.*-]*$/ }
  }
  const lineOf = (state: EditorState) => state.doc.lineAt(state.selection.main.head).number
  /** Nothing turns red on the line that is being written. */
  const showMarks = () => {
    const { state } = view
    const writing = view.hasFocus && !isReadOnly ? lineOf(state) : 0
    const shown = marks.filter(({ line }) => line !== writing && line <= state.doc.lines).map((mark) => diagnosticOf(state, mark))
    view.dispatch(setDiagnostics(state, shown))
  }
  const view = new EditorView({
    parent,
    doc: text,
    extensions: [
      common(nonce, label),
      indentUnit.of('  '),
      ...(isReadOnly
        ? [fixed]
        : [
            history(),
            drawSelection(),
            highlightActiveLine(),
            highlightActiveLineGutter(),
            bracketMatching(),
            closeBrackets(),
            indentOnInput(),
            foldGutter(),
            lintGutter(),
            autocompletion({ override: [complete], icons: false }),
            // Tab takes a completion while one is offered, and otherwise leads on: nobody is trapped.
            keymap.of([{ key: 'Tab', run: acceptCompletion }]),
            keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...foldKeymap, ...historyKeymap, ...defaultKeymap]),
          ]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && !isOwnChange) onChange(update.state.doc.toString())
        const hasMoved = update.selectionSet && lineOf(update.startState) !== lineOf(update.state)
        if (marks.length > 0 && (hasMoved || update.focusChanged)) queueMicrotask(showMarks)
      }),
    ],
  })
  return {
    setText(next) {
      const before = view.state.doc.toString()
      if (before === next) return
      isOwnChange = true
      view.dispatch({ changes: difference(before, next) })
      isOwnChange = false
    },
    setMarks(next) {
      marks = next
      showMarks()
    },
    goTo(line) {
      const { from } = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines))
      view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) })
      view.focus()
    },
    destroy: () => view.destroy(),
  }
}

function diagnosticOf(state: EditorState, { line, column, message, severity }: Mark): Diagnostic {
  const { from, to, text } = state.doc.line(line)
  const start = column === undefined ? from + (text.length - text.trimStart().length) : Math.min(from + column - 1, to)
  const word = /^"(?:[^"\\]|\\.)*"?|^[^\s,\]}]+/.exec(state.doc.sliceString(start, to))?.[0].length ?? 0
  return { from: start, to: column === undefined ? to : Math.min(start + word, to), severity, message }
}

/** One change from the first place where two texts differ to the last. */
function difference(before: string, after: string): { from: number; to: number; insert: string } {
  const most = Math.min(before.length, after.length)
  let start = 0
  while (start < most && before[start] === after[start]) start++
  let end = 0
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) }
}

/** Two texts as one, with what changed between them. */
export function createDiff({
  parent,
  before,
  after,
  label,
  nonce,
  phrases,
}: {
  parent: HTMLElement
  before: string
  after: string
  label: string
  nonce: string | undefined
  phrases: Phrases
}): Disposable {
  const view = new EditorView({
    parent,
    doc: after,
    extensions: [
      common(nonce, label, phrases),
      fixed,
      unifiedMergeView({ original: before, mergeControls: false, gutter: true, collapseUnchanged: { margin: 3, minSize: 6 } }),
    ],
  })
  return { [Symbol.dispose]: () => view.destroy() }
}

export interface MergeEditor {
  text(): string
  destroy(): void
}

/** Theirs on the left; on the right what will be saved, with an arrow for each place that takes over theirs. */
export function createMerge(options: {
  parent: HTMLElement
  theirs: string
  mine: string
  labels: { theirs: string; mine: string }
  nonce: string | undefined
  phrases: Phrases
}): MergeEditor {
  const { parent, theirs, mine, labels, nonce, phrases } = options
  const view = new MergeView({
    parent,
    a: { doc: theirs, extensions: [common(nonce, labels.theirs, phrases), fixed] },
    b: { doc: mine, extensions: [common(nonce, labels.mine, phrases), history(), keymap.of([...historyKeymap, ...defaultKeymap])] },
    revertControls: 'a-to-b',
    collapseUnchanged: { margin: 3, minSize: 6 },
  })
  return { text: () => view.b.state.doc.toString(), destroy: () => view.destroy() }
}
