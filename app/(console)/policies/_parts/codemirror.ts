// The editor itself, in a chunk of its own: only whoever opens a policy text loads it.
import type { CompletionContext, CompletionResult } from '@codemirror/autocomplete'
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from '@codemirror/language'
import type { Diagnostic } from '@codemirror/lint'
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import type { EditorState } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap } from '@codemirror/view'
import type { KnownNames } from '@postern/core'
import { completePolicy } from '@postern/core'
import { common, fixed } from './codemirror-base.ts'

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
